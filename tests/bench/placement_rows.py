"""What a decision of placement costs, by how many devices are ready, and what a device takes of the core's memory."""

import json
import subprocess

from harness import BenchError
from rows import median_of, row

DEVICES = (1_000, 10_000, 100_000)
DECISION_AIM_US = 5.0
DEVICE_AIM_BYTES = 1024


def decisions(tools, quick):
    turns = 1 if quick else 3
    argv = [tools.build / "bench_placement", "--decisions", "10000" if quick else "100000", *map(str, DEVICES)]
    samples = {devices: [] for devices in DEVICES}
    for _ in range(turns):
        run = subprocess.run(argv, stdout=subprocess.PIPE, timeout=120)
        if run.returncode != 0:
            raise BenchError(f"bench_placement: exit status {run.returncode}")
        for line in run.stdout.splitlines():
            sample = json.loads(line)
            samples[sample["devices"]].append(sample)
    rows = []
    for devices in DEVICES:
        of = samples[devices]
        note = (f"p50 {median_of(of, 'p50_ns') / 1000:.2f} us; with the rest of a request's step p99 "
                f"{median_of(of, 'step_p99_ns') / 1000:.2f} us; of plain computing for as long as p50, p99 "
                f"{median_of(of, 'machine_p99_ns') / 1000:.2f} us")
        rows.append(row(f"decision at {devices:,} devices, p99", median_of(of, "p99_ns") / 1000, "us",
                        DECISION_AIM_US, note))
    memory = median_of(samples[DEVICES[-1]], "bytes_per_device")
    rows.append(row("core's memory per device", memory, "B", DEVICE_AIM_BYTES, "with one model each"))
    return rows, samples
