"""Webhook deliveries a second, over loopback, each recorded durably."""

import json
import subprocess

from harness import BenchError
from rows import median_of, row


def bench_webhooks(tools, *arguments):
    path = tools.new_folder("webhooks") / "bench.db"
    command = [tools.build / "bench_webhooks", path, *map(str, arguments)]
    run = subprocess.run(command, stdout=subprocess.PIPE, timeout=120)
    if run.returncode != 0:
        raise BenchError(f"bench_webhooks: exit status {run.returncode}")
    return json.loads(run.stdout)


def deliveries(tools, quick):
    runs = [bench_webhooks(tools, "--deliveries", 2_000 if quick else 20_000) for _ in range(1 if quick else 3)]
    rate = row("webhook deliveries/s, durable", median_of(runs, "per_s"), "/s", None,
               f"aim: at least 1,000; {median_of(runs, 'cpu_us'):.0f} us of CPU each, to 8 webhooks")
    rate.update(aim=1_000, met=rate["value"] >= 1_000, at_least=True)
    return [rate], {"runs": runs}
