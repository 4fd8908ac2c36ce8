#!/usr/bin/env bash
# All gates on the source. Every gate runs, also after one that failed.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/deps.sh build test lint
tools/llama-deps.sh

failed=()
gate() {
    local name=$1 started=$SECONDS
    shift
    if "$@"; then
        echo "lint: $name ok ($((SECONDS - started)) s)"
    else
        echo "lint: $name FAILED"
        failed+=("$name")
    fi
}

export PYTHONDONTWRITEBYTECODE=1
gate format tools/lint/format.sh
gate size python3 tools/lint/size.py
gate rooms python3 tools/lint/rooms.py
gate circles python3 tools/lint/circles.py
gate headers python3 tools/lint/headers.py
gate columns python3 tools/lint/columns.py
gate dialect python3 tools/lint/dialect.py
gate banned python3 tools/lint/banned.py
gate scripts python3 tools/lint/scripts.py
gate walks python3 tools/lint/walks.py
gate map python3 tools/map.py
gate picture python3 tools/rooms_picture.py --check
gate audits python3 tools/audit/figures.py --check
gate runpath python3 tools/lint/runpath.py
gate units python3 tools/lint/units.py
gate gates python3 -m unittest -q tests/lint/test_gates.py
gate tidy tools/lint/tidy.sh

if [ ${#failed[@]} -gt 0 ]; then
    echo "lint: failed: ${failed[*]}"
    exit 1
fi
echo "lint: all gates passed"
