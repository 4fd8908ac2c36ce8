#!/usr/bin/env bash
# What takes longer than a test: the crash loop with the idempotency hammer (tests/soak/crash_loop.mjs), workflows under
# caps and kills (tests/soak/workflows.mjs), evil peers (tests/soak/evil_peer.mjs) and the chaos of devices
# (tests/soak/chaos.mjs). Arguments, each with a value: --only crash|workflows|evil|chaos; --seed of all; --kills,
# --idempotency-rounds, --clients; --workflow-kills, --caps; --evil-steps, --evil-links; --seconds, --engine,
# --streams, --plain. The last line sums what was shown. Evil peers meet the sanitizer build where one is as new.
set -euo pipefail
cd "$(dirname "$0")/.."

log=build-logs/soak.txt

only=all # campaigns
crash=()
workflows=()
evil=()
chaos=()
while [ $# -gt 0 ]; do
    case $1 in
        --only) only=${2-} ;;
        --seed) crash+=("$1" "${2-}") && workflows+=("$1" "${2-}") && evil+=("$1" "${2-}") && chaos+=("$1" "${2-}") ;;
        --kills | --idempotency-rounds | --clients) crash+=("$1" "${2-}") ;;
        --workflow-kills | --caps) workflows+=("$1" "${2-}") ;;
        --evil-steps | --evil-links) evil+=("$1" "${2-}") ;;
        *) chaos+=("$1" "${2-}") ;; # it refuses what it does not know
    esac
    shift $(($# > 1 ? 2 : 1))
done

case $only in
    all | crash | workflows | evil | chaos) ;;
    *)
        echo "soak: no campaign is called $only" >&2
        exit 2
        ;;
esac

evil_bin=${NATARIS_BIN:-$PWD/build/nataris}
if [ -z "${NATARIS_BIN-}" ] && [ build-asan/nataris -nt build/nataris ]; then
    evil_bin=$PWD/build-asan/nataris
fi
export NATARIS_BIN=${NATARIS_BIN:-$PWD/build/nataris}
export NATARIS_TEST_TIMEOUT_S=${NATARIS_TEST_TIMEOUT_S:-86400}
mkdir -p build-logs
tools/deps.sh test
tools/e2e-deps.sh

status=0
: >"$log"
# campaign NAME SCRIPT ARGUMENT...: unless another one alone is wanted.
campaign() {
    local name=$1
    shift
    if [ "$only" = all ] || [ "$only" = "$name" ]; then
        node "$@" | tee -a "$log" || status=$?
    fi
}
campaign crash tests/soak/crash_loop.mjs "${crash[@]}"
campaign workflows tests/soak/workflows.mjs "${workflows[@]}"
NATARIS_BIN=$evil_bin campaign evil tests/soak/evil_peer.mjs "${evil[@]}"
campaign chaos tests/soak/chaos.mjs "${chaos[@]}"
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAILED ' "$log" || true)
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
fi
echo
echo "took ${SECONDS} s"
echo "$passed passed, $failed failed"
exit "$status"
