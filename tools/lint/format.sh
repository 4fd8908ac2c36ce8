#!/usr/bin/env bash
# Gate: clang-format. With --fix it formats in place.
set -euo pipefail
cd "$(dirname "$0")/../.."

mode=(--dry-run -Werror)
[ "${1:-}" != --fix ] || mode=(-i)

tops=(src tests)
[ ! -d sim ] || tops+=(sim)
find "${tops[@]}" -name node_modules -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 -r -n 20 -P "$(nproc)" clang-format-14 "${mode[@]}"
