#!/usr/bin/env bash
# The tests to run after each change: unit and replay, in the debug build, without sanitizers. Seconds when it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/deps.sh build test
tools/build.sh debug tests-quick
ctest --test-dir build-debug --label-regex 'unit|replay' --parallel "$((2 * $(nproc)))" --output-on-failure --progress
