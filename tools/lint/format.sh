#!/usr/bin/env bash
# Gate: clang-format. With --fix it formats in place.
set -euo pipefail
cd "${NATARIS_LINT_ROOT:-$(dirname "$0")/../..}"

mode=(--dry-run -Werror)
[ "${1:-}" != --fix ] || mode=(-i)

tops=()
for top in src sim tests; do
    [ ! -d $top ] || tops+=($top)
done
find "${tops[@]}" -name node_modules -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 -r -n 20 -P "$(nproc)" clang-format-14 "${mode[@]}"
