"""What a workflow gains from many devices."""

import json
import time

import harness
from harness import SCRIPTED_MODEL, BenchError, Gateway, say
from rows import median_of, row

TEXT_BYTES = 200_000
DEVICES = 4
# One job at a time, a tenth of a second to read a prompt, then 400 tokens/s: about 0.15 s a step.
DEVICE = (
    "--engine", "scripted", "--slots", "1", "--context", "2048", "--script-prefill-ms", "100", "--script-rate", "400",
)


def long_text(size):
    line = "Line {} tells of the sea near a town, where boats came home with the tide.\n"
    return "".join(line.format(i) for i in range(size // 70))[:size]


def sum_up(tools, devices, size):
    """One map_reduce on so many devices of the same fixed speed."""
    body = {
        "model": SCRIPTED_MODEL,
        "messages": [{"role": "user", "content": long_text(size)}],
        "orchestration": {"enabled": True, "workflow": "map_reduce", "max_steps": 500},
    }
    with Gateway(tools) as gateway:
        gateway.wait_connected([gateway.add_provider(*DEVICE) for _ in range(devices)], SCRIPTED_MODEL)
        started = time.monotonic()
        status, answer = harness.ask(gateway.address, gateway.request(body), 120)
        seconds = time.monotonic() - started
    nataris = json.loads(answer).get("nataris", {})
    if status != 200 or nataris.get("status") != "COMPLETED":
        raise BenchError(f"map_reduce on {devices} devices got {status}: {answer[:300]!r}")
    return seconds, nataris["steps_executed"]


def map_reduce(tools, quick):
    """Row: the same long text on four devices and on one."""
    size = TEXT_BYTES // 4 if quick else TEXT_BYTES
    samples = []
    for turn in range(1 if quick else 3):
        (one, steps), (many, _) = sum_up(tools, 1, size), sum_up(tools, DEVICES, size)
        samples.append({"one_s": one, "many_s": many, "steps": steps, "ratio": one / many})
        say(f"  turn {turn + 1}: {one:.1f} s on one, {many:.1f} s on {DEVICES}: {one / many:.2f} times as fast")
    one_s, many_s = median_of(samples, "one_s"), median_of(samples, "many_s")
    note = f"{one_s:.1f} s against {many_s:.1f} s; {samples[0]['steps']} generations"
    name = f"map_reduce of {size // 1000} KB, speed of {DEVICES} devices / of one"
    found = row(name, median_of(samples, "ratio"), "", None, note)
    found.update(aim=3.0, met=found["value"] >= 3.0, at_least=True)
    return [found], samples
