#!/usr/bin/env bash
# tools/openapi.sh [EXAMPLES]: holds a running gateway against its own document, /openapi.json, with a live and with a
# test key. schemathesis (from PyPI, in a folder of its own under .deps) makes requests that the document allows and
# such that it forbids, EXAMPLES for each route (default 40), and complains of every answer that the document does not
# have, of good requests that are refused and of bad ones that are taken. A device of the scripted engine serves. Takes
# minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly examples="${1:-40}" program="$(realpath "${NATARIS_BIN:-build/nataris}")" venv=$PWD/.deps/schemathesis
readonly version=4.32.5 model=nataris-demo-2m
[ -x "$program" ] || { echo "$program is missing: make build" >&2; exit 1; }
if [ ! -x "$venv/bin/schemathesis" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "schemathesis==$version"
fi

folder=$(mktemp -d)
pids=()
stop() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    rm -rf "$folder"
}
trap stop EXIT

"$program" gateway --data "$folder/gateway" --listen 127.0.0.1:0 --json >"$folder/keys" 2>"$folder/gateway.log" &
pids+=($!)
until [ -s "$folder/keys" ]; do
    kill -0 "${pids[0]}" || { cat "$folder/gateway.log" >&2; exit 1; }
    sleep 0.2
done
member() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$@"; }
origin=$(member "$folder/keys" base_url)
origin="${origin%/v1}"
# An owner of its own: with the owner's key the document's DELETE would remove the device.
"$program" account create devices --data "$folder/gateway" --json >"$folder/owner"
"$program" provider invite --account "$(member "$folder/owner" id)" --data "$folder/gateway" --json >"$folder/invite"
"$program" provider --gateway "$origin" --join "$(member "$folder/invite" token)" --data "$folder/provider" \
    --engine scripted --model "$model" --quiet >"$folder/provider.log" 2>&1 &
pids+=($!)
until curl -sf "$origin/readyz" >/dev/null; do
    sleep 0.2
done

status=0
for key in api_key test_key; do
    echo "== $key"
    (cd "$folder" && "$venv/bin/schemathesis" run "$origin/openapi.json" --max-examples "$examples" \
        --continue-on-failure --suppress-health-check all \
        --header "Authorization: Bearer $(member "$folder/keys" "$key")") || status=1
done
exit "$status"
