#!/usr/bin/env python3
"""`make bench`: measures gateway and provider against their peers and prints a table, ratios first.

Progress goes to stderr; every raw sample to bench-results/bench.json. A missed aim is a line in the table, not a
failure; a measurement that could not be made is one. docs/BENCHMARKS.md tells how each row is measured.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

import conversation_rows
import doors_rows
import engine_row
import harness
import network_rows
import placement_rows
import prompt_rows
import rows
import store_rows
import usage_rows
import webhook_rows
import workflow_list_rows
import workflow_rows
from harness import BenchError, say

MEASUREMENTS = {
    "plain": ("plain requests, against nginx", rows.plain_requests),
    "engine": ("tokens/s, against the bare engine loop", engine_row.tokens_per_second),
    "prompts": ("long prompts, against llama.cpp's own reading", prompt_rows.long_prompts),
    "stream": ("CPU per streamed delta", rows.stream_cpu),
    "memory": ("memory per idle provider", rows.idle_memory),
    "money": ("settlements, and the ledger's check", store_rows.settlements),
    "usage": ("chats beside clients that ask for usage", usage_rows.stalls),
    "accounts": ("start-up with many accounts", usage_rows.many_accounts),
    "log": ("settlements while the log is written back", usage_rows.log_written_back),
    "placement": ("decisions of placement", placement_rows.decisions),
    "conversations": ("a conversation of 10,000 messages", conversation_rows.long_conversation),
    "webhooks": ("webhook deliveries", webhook_rows.deliveries),
    "workflows": ("map_reduce on four devices and on one", workflow_rows.map_reduce),
    "workflow-list": ("a list of 100,000 workflows", workflow_list_rows.long_list),
    "flood": ("good requests beside a flood of passers-by", doors_rows.flood),
    "start": ("start-up of the gateway", rows.gateway_start),
    "live": ("15,000 live providers", network_rows.live_providers),
    "lost": ("time until a lost device's stream goes on", network_rows.device_lost),
    "cancel": ("time until a closed stream's slot is free", rows.slot_freed),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=harness.ROOT / "build", type=pathlib.Path, help="folder of the programs")
    parser.add_argument("--before", type=pathlib.Path, help="folder of an earlier build, for rows that compare with it")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="one measurement; may be repeated")
    parser.add_argument("--quick", action="store_true", help="short runs: does it work, not how fast is it")
    parser.add_argument("--real-time", action="store_true", help="starve other programs while it matters; takes root")
    parser.add_argument("--output", default=harness.ROOT / "bench-results" / "bench.json", type=pathlib.Path)
    return parser.parse_args()


def show(value, unit):
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{3 if unit == '' else digits}f} {unit}".rstrip()


def print_table(found):
    lines = [("", "measured", "aim", "met", "")]
    for row in sorted(found, key=lambda row: row["unit"] != ""):  # ratios first
        aim = "-" if row["aim"] is None else (">= " if row.get("at_least") else "<= ") + show(row["aim"], row["unit"])
        met = "-" if row["aim"] is None else "yes" if row["met"] else "NO"
        lines.append((row["name"], show(row["value"], row["unit"]), aim, met, row["note"]))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    for name, value, aim, met, note in lines:
        text = f"{name:{widths[0]}}  {value:>{widths[1]}}  {aim:>{widths[2]}}  {met:>{widths[3]}}  {note}"
        print(text.rstrip())


def machine():
    load = os.getloadavg()[0]
    return {"cores": os.cpu_count(), "load_average_before": round(load, 2)}


def measure(arguments, folder):
    tools = harness.Tools(arguments.build, folder, arguments.real_time, arguments.before)
    found = []
    result = {"machine": machine(), "quick": arguments.quick, "real_time": arguments.real_time, "samples": {}}
    started = time.monotonic()
    for name in arguments.only or MEASUREMENTS:
        title, measurement = MEASUREMENTS[name]
        say(f"{title} (at {time.monotonic() - started:.0f} s)")
        new_rows, result["samples"][name] = measurement(tools, arguments.quick)
        found += new_rows
    result["seconds"] = round(time.monotonic() - started, 1)
    result["rows"] = found
    return result


def main():
    arguments = parse_arguments()
    harness.stop_on_signals()
    try:
        with tempfile.TemporaryDirectory(prefix="nataris-bench-") as folder:
            result = measure(arguments, folder)
    except KeyboardInterrupt as signal:
        say(f"bench: stopped {signal}".rstrip())
        return 130
    except (BenchError, OSError, ValueError, KeyError) as error:
        say(f"bench: failed: {error}")
        return 1
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print_table(result["rows"])
    say(f"took {result['seconds']} s; all samples are in {arguments.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
