#!/usr/bin/env bash
# tools/check.sh NAME: builds and runs one test, in the debug build (PRESET=asan: with the sanitizers). NAME is
#   a file: tests/unit/net/test_conn.c, tests/replay/accept-silent.replay, tests/e2e/money.test.mjs;
#   or what CTest calls it, or a part of that: test_net_conn, net_ws;
#   or a file of tests/e2e: e2e/money, or just continuation when no program has the name.
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1-}
preset=${PRESET:-debug}
if [ -z "$name" ]; then
    echo "usage: make check NAME=test_net_conn (or a file of tests/, see tools/check.sh)" >&2
    exit 2
fi

run_e2e() {
    tools/build.sh "$preset" nataris nataris-llama
    tools/e2e-deps.sh
    NATARIS_BIN=$PWD/build-$preset/nataris exec node --test "$1"
}

# A scenario is not a program: the runner takes a folder of them.
run_scenario() {
    tools/build.sh "$preset" test_replay_replay
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    cp "$1" "$folder"
    REPLAY_DIR=$folder "build-$preset/test_replay_replay"
}

# What CTest knows by the name: a program each, and the simulator under three names.
run_programs() {
    local tests
    mapfile -t tests < <(ctest --test-dir "build-$preset" --show-only --tests-regex "$1" |
        sed -nE 's/^ *Test +#[0-9]+: //p')
    if [ ${#tests[@]} -eq 0 ]; then
        return 1
    fi
    mapfile -t programs < <(printf '%s\n' "${tests[@]}" | sed 's/^sim.*/nataris-sim/' | sort -u)
    tools/build.sh "$preset" "${programs[@]}" nataris-llama
    ctest --test-dir "build-$preset" --tests-regex "$1" --output-on-failure
}

tools/deps.sh build test
tools/build.sh "$preset" nataris-generated >/dev/null
case $name in
    *.test.mjs) run_e2e "$name" ;;
    e2e/*) run_e2e "tests/$name.test.mjs" ;;
    *.replay) run_scenario "$name" ;;
    tests/*/test_*.c)
        program=${name#tests/} # unit/net/test_conn.c
        program=${program#unit/}
        program=${program/engine\/llama_child/llama_child}
        program=${program/test_/}
        program=${program%.c}
        run_programs "^test_${program//\//_}$"
        ;;
    *)
        if ! run_programs "$name"; then
            if [ ! -f "tests/e2e/$name.test.mjs" ]; then
                echo "check: no program of the tests and no file of tests/e2e is called $name" >&2
                exit 2
            fi
            run_e2e "tests/e2e/$name.test.mjs"
        fi
        ;;
esac
