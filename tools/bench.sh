#!/usr/bin/env bash
# The measurements of docs/BENCHMARKS.md. Arguments: see --help.
set -euo pipefail
cd "$(dirname "$0")/.."

export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/bench/bench.py "$@"
