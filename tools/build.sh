#!/usr/bin/env bash
# tools/build.sh PRESET [TARGET...]: configures when needed and builds. Everything, or the targets named.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=$1
shift
folder=build-$preset
[ "$preset" != release ] || folder=build

tools/llama-deps.sh
if [ ! -f "$folder/build.ninja" ]; then
    cmake --preset "$preset" --log-level=NOTICE
fi
cmake --build "$folder" -- "$@"
