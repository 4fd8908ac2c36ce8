# Thin targets; the work is done by the scripts in tools/. Everything installs what it needs by itself.
.PHONY: help build up unit check test test-models coverage path sim bench soak lint format clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "  make %-12s %s\n", $$1, $$2 }' Makefile

build: ## build build/nataris
	@tools/deps.sh build
	@tools/build.sh release

up: ## run a whole network on this machine; ARGS="--listen 127.0.0.1:8081" and others are passed on
	@tools/up.sh $(ARGS)

unit: ## unit and replay tests in the debug build: after each change
	@tools/unit.sh

check: ## one test: NAME=test_net_conn, NAME=tests/replay/accept-silent.replay, NAME=e2e/money
	@tools/check.sh "$(NAME)"

test: ## every test that needs no model download
	@tools/test.sh

test-models: ## the README's examples and all flows on real models (downloads them)
	@tools/test.sh models

coverage: ## lines of each room that unit, replay and contract tests run; fails under the thresholds
	@tools/deps.sh build test
	@tools/coverage.py --check $(ARGS)

path: ## calls, functions and files on the way of one streamed chat; ARGS="--list"
	@tools/deps.sh build
	@tools/path.py $(ARGS)

sim: ## the simulators, money and network; ARGS="--seed 7" or "network --devices 10000" runs one
	@tools/deps.sh build
	@tools/build.sh release nataris-sim
	@build/nataris-sim $(if $(ARGS),$(ARGS),--seeds 10000)
	@$(if $(ARGS),true,build/nataris-sim network --seeds 40 --processes 2)
	@$(if $(ARGS),true,tools/sim_liars.sh)

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
