"""What money costs: durable settlements a second, the ledger's share of their CPU time, the proof of a long ledger."""

import json
import statistics
import subprocess

from harness import BenchError
from rows import median_of, row

WAITING = 1000  # settlements under way at once, as of so many clients
CHECK_RECORDS = 340_000  # three entries each: a million


def bench_store(tools, *arguments):
    path = tools.new_folder("store") / "bench.db"
    run = subprocess.run([tools.build / "bench_store", path, *map(str, arguments)], stdout=subprocess.PIPE, timeout=120)
    if run.returncode != 0:
        raise BenchError(f"bench_store: exit status {run.returncode}")
    result = json.loads(run.stdout)
    result["cpu_us"] = result["user_us"] + result["system_us"]
    return result


def settlements(tools, quick):
    """Charged jobs and free ones in turns: the difference is what the ledger adds to a job's record."""
    records = 20_000 if quick else 100_000
    turns = 1 if quick else 3
    charged, free = [], []
    for _ in range(turns):
        charged.append(bench_store(tools, "--records", records, "--waiting", WAITING))
        free.append(bench_store(tools, "--records", records, "--waiting", WAITING, "--free"))
    shares = [paid["cpu_us"] - unpaid["cpu_us"] for paid, unpaid in zip(charged, free)]
    proof = bench_store(tools, "--records", 10_000 if quick else CHECK_RECORDS, "--waiting", WAITING, "--check")
    rate = row("settled jobs/s, durable", median_of(charged, "settled_per_s"), "/s", None,
               f"aim: at least 20,000; {median_of(charged, 'cpu_us'):.1f} us of CPU each, groups of "
               f"{median_of(charged, 'group'):.0f}")
    rate.update(aim=20_000, met=rate["value"] >= 20_000, at_least=True)
    return [
        rate,
        row("ledger's CPU per settled job", statistics.median(shares), "us", 3.0, "a charged job's less a free one's"),
        row("ledger check", proof["check_s"], "s", 2.0, f"{proof['check_entries']:,} entries"),
    ], {"charged": charged, "free": free, "check": proof}
