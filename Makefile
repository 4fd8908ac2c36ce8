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

sim: ## 10,000 seeds of the simulator; ARGS="--seed 7" replays one with a trace
	@tools/deps.sh build
	@tools/build.sh release nataris-sim
	@build/nataris-sim --seeds 10000 $(ARGS)

bench: ## measure against nginx and the bare engine
	@tools/deps.sh build bench
	@tools/build.sh release all bench-programs
	@tools/bench.sh $(ARGS)

soak: ## the long run
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
