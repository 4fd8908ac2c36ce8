#!/bin/sh
# Liars of every kind against the core: audits of 5% and 2.5% of known devices' jobs, and none (then lying must pay, or
# the other two would show nothing). Arguments are further options of `nataris-sim network`: --devices 10000 --jobs
# 2000000 --minutes 100 --seed 2 is the large run of docs/AUDITS.md.
set -eu
cd "$(dirname "$0")/.."
for percent in 5 2.5 0; do
    build/nataris-sim network --liars 5 --devices 2000 --jobs 200000 --minutes 60 --loss-per-minute 1 \
        --audit-percent "$percent" "$@"
done
