# Thin targets; the work is done by the scripts in tools/. Everything installs what it needs by itself.
.PHONY: help build up test test-models sim bench soak lint format clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## build build/nataris
	@tools/deps.sh build
	@tools/build.sh release

up: build ## run a whole network on this machine; ARGS="..." are passed on
	@build/nataris up --data .nataris --listen 127.0.0.1:8080 $(ARGS)

test: ## every test that needs no model download
	@tools/test.sh

test-models: ## the end-to-end flows on the default chat model (downloads it)
	@tools/test.sh models

sim: ## the simulators, money and network; ARGS="--seed 7" or "network --devices 10000" runs one
	@tools/deps.sh build
	@tools/build.sh release nataris-sim
	@build/nataris-sim $(if $(ARGS),$(ARGS),--seeds 10000)
	@$(if $(ARGS),true,build/nataris-sim network --seeds 40 --processes 2)

bench: ## measure against nginx and the bare engine
	@tools/deps.sh build bench
	@tools/build.sh release all bench-programs
	@tools/bench.sh $(ARGS)

soak: ## the long run; ARGS="--only chaos --seconds 120 --seed 7" runs one part
	@tools/deps.sh build
	@tools/build.sh release all bench-programs
	@tools/soak.sh $(ARGS)

lint: ## all gates on the source
	@tools/lint.sh

format: ## clang-format every source in place
	@tools/deps.sh lint
	@tools/lint/format.sh --fix

clean: ## remove what was built; .deps stays
	rm -rf build build-*/ tests/e2e/node_modules
