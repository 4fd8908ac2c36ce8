#!/usr/bin/env bash
# tools/fuzz.sh SECONDS: runs every built fuzz target that long, as many at a time as there are cores.
# tools/fuzz.sh SECONDS PROGRAM: runs one. FUZZ_SEED (default 1) makes runs alike, so that `make test` does not turn red
# by luck; FUZZ_SEED=0 explores anew each time. Starts from the seeds in tests/fuzz/corpus/<name> and from what earlier
# runs kept in build-fuzz/corpus/<name>. Prints one line for each target; a crashing input stays in build-logs.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1

if [ $# -eq 1 ]; then
    sources=(tests/fuzz/fuzz_*.c)
    programs=("${sources[@]/#tests\/fuzz/build-fuzz}")
    printf '%s\0' "${programs[@]%.c}" | xargs -0 -n 1 -P "$(nproc)" tools/fuzz.sh "$seconds"
    exit
fi

name=$(basename "$2")
log=build-logs/$name.log
corpora=("build-fuzz/corpus/$name")
mkdir -p build-logs "${corpora[0]}"
if [ -d "tests/fuzz/corpus/${name#fuzz_}" ]; then
    corpora+=("tests/fuzz/corpus/${name#fuzz_}")
fi
if "$2" -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 \
    -artifact_prefix="build-logs/$name-" "${corpora[@]}" >"$log" 2>&1; then
    echo "ok      $name: $(grep -a '^Done' "$log")"
else
    tail -n 40 "$log" >&2
    echo "FAILED  $name, see $log"
    exit 1
fi
