#!/usr/bin/env bash
# The tests to run after each change: unit and replay, in the debug build, without sanitizers and without the tests that
# take seconds each (label slow, cmake/Tests.cmake). Under 15 s when it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/deps.sh build test
tools/build.sh debug tests-quick
ctest --test-dir build-debug --label-regex 'unit|replay' --label-exclude slow --parallel "$((4 * $(nproc)))" \
    --output-on-failure --progress
