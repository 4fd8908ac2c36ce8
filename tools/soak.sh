#!/usr/bin/env bash
# What takes longer than a test: the crash loop and the idempotency hammer (tests/soak/crash_loop.mjs).
# Arguments are passed on: --kills N, --idempotency-rounds N, --seed N. The last line sums what was shown.
set -euo pipefail
cd "$(dirname "$0")/.."

log=build-logs/soak.txt
stamp=tests/e2e/node_modules/.installed

mkdir -p build-logs
tools/deps.sh test
if ! cmp -s tests/e2e/package-lock.json $stamp; then
    (cd tests/e2e && npm ci --loglevel=error)
    cp tests/e2e/package-lock.json $stamp
fi
status=0
NATARIS_BIN=$PWD/build/nataris NATARIS_TEST_TIMEOUT_S=${NATARIS_TEST_TIMEOUT_S:-86400} \
    node tests/soak/crash_loop.mjs "$@" | tee "$log" || status=$?
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAILED ' "$log" || true)
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
fi
echo
echo "took ${SECONDS} s"
echo "$passed passed, $failed failed"
exit "$status"
