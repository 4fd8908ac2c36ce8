"""A conversation of 10,000 messages: storing one more exchange durably, and loading what the next prompt can have."""

import json
import subprocess

from harness import BenchError
from rows import median_of, row


def bench_conversations(tools, *arguments):
    path = tools.new_folder("conversations") / "bench.db"
    program = [tools.build / "bench_conversations", path, *map(str, arguments)]
    run = subprocess.run(program, stdout=subprocess.PIPE, timeout=120)
    if run.returncode != 0:
        raise BenchError(f"bench_conversations: exit status {run.returncode}")
    return json.loads(run.stdout)


def long_conversation(tools, quick):
    runs = [bench_conversations(tools, "--messages", 1_000 if quick else 10_000) for _ in range(1 if quick else 3)]
    loaded = runs[0]["loaded"]
    added_ms, loaded_ms = median_of(runs, "append_us") / 1000, median_of(runs, "load_us") / 1000
    return [
        row("exchange added to 10,000 messages", added_ms, "ms", 5.0, "durable, one at a time"),
        row("their end loaded for a prompt", loaded_ms, "ms", 5.0, f"{loaded} messages, 4096 tokens"),
    ], {"runs": runs}
