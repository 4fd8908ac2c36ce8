#!/usr/bin/env bash
# Gate: clang-tidy over the sources given, or all of src/ and tests/ that the debug preset compiles.
set -euo pipefail
cd "${NATARIS_LINT_ROOT:-$(dirname "$0")/../..}"

if [ ! -f build-debug/build.ninja ]; then
    cmake --preset debug --log-level=NOTICE >/dev/null
fi
# The generated headers must be there, and the compile database up to date.
if ! output=$(ninja -C build-debug nataris-generated 2>&1); then
    echo "$output" >&2
    exit 1
fi

if [ $# -eq 0 ]; then
    mapfile -t sources < <(python3 - <<'PY'
import json, pathlib
root = pathlib.Path.cwd()
for entry in json.load(open("build-debug/compile_commands.json")):
    path = pathlib.Path(entry["directory"], entry["file"])
    if path.is_relative_to(root / "src") or path.is_relative_to(root / "tests"):
        print(path.relative_to(root))
PY
    )
    set -- "${sources[@]}"
fi
[ $# -gt 0 ] || exit 0
printf '%s\0' "$@" | sort -zu | xargs -0 -n 1 -P "$(nproc)" clang-tidy-14 --quiet -p build-debug 2> >(
    grep -vE '^[0-9]+ warnings? generated\.$|warnings? treated as errors?$' >&2
)
