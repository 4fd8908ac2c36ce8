"""A list of 100,000 workflows of one account: a page of 20 with the total, from its beginning and from its middle."""

import json
import subprocess

from harness import BenchError
from rows import median_of, row


def bench_workflows(tools, *arguments):
    path = tools.new_folder("workflows") / "bench.db"
    program = [tools.build / "bench_workflows", path, *map(str, arguments)]
    run = subprocess.run(program, stdout=subprocess.PIPE, timeout=300)
    if run.returncode != 0:
        raise BenchError(f"bench_workflows: exit status {run.returncode}")
    return json.loads(run.stdout)


def long_list(tools, quick):
    runs = [bench_workflows(tools, "--workflows", 10_000 if quick else 100_000) for _ in range(1 if quick else 3)]
    first_ms = median_of(runs, "first_us") / 1000
    return [
        row("20 of 100,000 workflows listed", first_ms, "ms", 5.0, "the first page, with the total"),
        row("20 from their middle", median_of(runs, "middle_us") / 1000, "ms", 5.0, "by `after`"),
    ], {"runs": runs}
