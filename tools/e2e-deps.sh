#!/usr/bin/env bash
# The npm packages of tests/e2e, installed once for each state of its lock file.
set -euo pipefail
cd "$(dirname "$0")/../tests/e2e"

if ! cmp -s package-lock.json node_modules/.installed; then
    npm ci --loglevel=error
    cp package-lock.json node_modules/.installed
fi
