#!/usr/bin/env bash
# Runs every test that needs no model download. tools/test.sh models: those on real models instead.
# Stops at the first section that fails. The last line sums what ran.
set -euo pipefail
cd "$(dirname "$0")/.."

logs=build-logs
passed=0
failed=0
within=() # what the test programs are started with

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp

# The thread sanitizer of gcc 12 cannot live with the most random address layouts: switch them off where we may.
fixed_layout=()
if setarch -R true 2>/dev/null; then
    fixed_layout=(setarch -R)
fi

section() {
    echo
    echo "== $* (at ${SECONDS} s)"
}

closing_line() {
    local status=$?
    if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
        failed=1
    fi
    echo
    echo "took ${SECONDS} s"
    echo "$passed passed, $failed failed"
    exit "$status"
}
trap closing_line EXIT

count_lines() {
    awk -v start="$1" 'index($0, start) == 1 { total++ } END { print total + 0 }' "$2"
}

# sum_lines REGEX FILE: adds up the number that ends the match of REGEX in each line that has one.
sum_lines() {
    grep -aoE "$1" "$2" | grep -oE '[0-9]+$' | awk '{ total += $1 } END { print total + 0 }' || true
}

# run_ctest FOLDER ARG...: runs CTest and counts the cmocka tests inside the programs.
run_ctest() {
    local folder=$1 status=0 log=$1/Testing/Temporary/LastTest.log
    shift
    "${within[@]}" ctest --test-dir "$folder" --parallel "$(nproc)" --output-on-failure --no-tests=error "$@" ||
        status=$?
    passed=$((passed + $(sum_lines '^\[  PASSED  \] [0-9]+' "$log")))
    failed=$((failed + $(sum_lines '^\[  FAILED  \] [0-9]+' "$log")))
    return $status
}

run_fuzz() {
    local status=0
    tools/fuzz.sh 8 | tee "$logs/fuzz.txt" || status=$?
    passed=$((passed + $(count_lines ok "$logs/fuzz.txt")))
    failed=$((failed + $(count_lines FAILED "$logs/fuzz.txt")))
    return $status
}

# run_node BUILD_FOLDER FILE...: end-to-end tests against the programs of that build.
run_node() {
    local folder=$1 status=0 tap=$logs/node.tap
    shift
    NATARIS_BIN=$PWD/$folder/nataris "${within[@]}" node --test --test-concurrency="${files_at_once:-3}" \
        --test-reporter=spec --test-reporter-destination=stdout \
        --test-reporter=tap --test-reporter-destination="$tap" "$@" || status=$?
    passed=$((passed + $(sum_lines '^# pass [0-9]+' "$tap")))
    failed=$((failed + $(sum_lines '^# (fail|cancelled) [0-9]+' "$tap")))
    return $status
}

# The installed programs run, and look for their libraries beside themselves only.
run_installed() {
    local folder=$logs/installed
    rm -rf "$folder"
    cmake --install build --prefix "$folder" >/dev/null
    python3 tools/lint/runpath.py "$folder"
    "$folder/bin/nataris" --version
    # Without its socket it says how it is called, which takes all of its libraries.
    { "$folder/libexec/nataris/nataris-llama" 2>&1 || true; } | grep '^usage: nataris-llama'
    passed=$((passed + 1))
}

test_models() {
    section "release build"
    tools/build.sh release
    section "end to end on real models: the default one of this machine, and SmolLM2"
    tools/e2e-deps.sh
    # One file at a time, since a model takes all cores; the first run also fetches half a gigabyte.
    export NATARIS_TEST_TIMEOUT_S=1800
    files_at_once=1
    run_node build tests/e2e/models/*.test.mjs
}

test_all() {
    section "release build"
    tools/build.sh release
    section "the release build, installed"
    run_installed
    section "address and undefined behaviour sanitizers: build"
    tools/build.sh asan
    section "address and undefined behaviour sanitizers: unit, replay, contract"
    run_ctest build-asan
    section "without sanitizers: the sandbox, whose memory limit they would break"
    tools/build.sh debug test_llama_child_sandbox
    run_ctest build-debug --tests-regex '^test_llama_child_sandbox$'
    section "thread sanitizer: build"
    tools/build.sh tsan nataris nataris-llama tests-threaded
    section "thread sanitizer: unit tests of what has threads"
    within=("${fixed_layout[@]}")
    run_ctest build-tsan --label-regex threaded
    within=()
    section "fuzz targets: build"
    tools/build.sh fuzz fuzz-programs
    section "fuzz targets: a short run of each"
    run_fuzz
    section "end to end, address and undefined behaviour sanitizers"
    tools/e2e-deps.sh
    run_node build-asan tests/e2e/*.test.mjs
    section "end to end, thread sanitizer: the smoke test"
    within=("${fixed_layout[@]}")
    run_node build-tsan tests/e2e/smoke.test.mjs
}

mkdir -p "$logs"
section "dependencies"
tools/deps.sh build test
case ${1:-all} in
    all) test_all ;;
    models) test_models ;;
    *)
        echo "usage: tools/test.sh [all|models]" >&2
        exit 2
        ;;
esac
