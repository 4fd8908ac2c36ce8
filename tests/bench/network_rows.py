"""The rows of a network of devices: many links held at once, and how soon a dead device is noticed."""

import contextlib
import select
import signal
import socket
import statistics
import subprocess
import time

import harness
from harness import BenchError, Gateway, say
from rows import CHAT, row, stream_request

LIVE_PROVIDERS = 15000  # a process may have 20,000 open files here
HOLDERS = 3  # processes that hold them
HEARTBEAT_S = 5  # the gateway's default
SERVING_CONNECTIONS = 16


class Holder:
    """A process with many providers in it, each of which answers jobs with a word."""

    def __init__(self, tools, gateway, token, count):
        self.argv = [tools.build / "bench_idle_providers", gateway.url, token, str(count)]
        self.log = tools.new_folder("holder") / "log"
        self.count = count

    def __enter__(self):
        self.started = contextlib.ExitStack()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = self.started.enter_context(harness.running(self.argv, self.log, **pipes))
        return self

    def __exit__(self, *_):
        self.started.close()

    def wait_ready(self, seconds):
        out = self.process.stdout
        if not select.select([out], [], [], seconds)[0] or out.readline() != b"ready\n":
            raise BenchError(f"{self.count} providers did not connect:\n{harness.tail(self.log)}")

    def losses(self):
        return self.log.read_text(errors="replace").count("link lost")


def cpu_share(pid, seconds):
    """Of one core, in percent."""
    before, at = harness.cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (harness.cpu_seconds(pid) - before) / (time.monotonic() - at)


def hold(tools, gateway, holders, quick):
    """What the gateway takes while the links are idle, then how it serves requests over them."""
    time.sleep(HEARTBEAT_S + 1)  # of each link one has come
    sample = {"rss": harness.memory_bytes(gateway.pid)[0]}
    sample["idle_cpu_percent"] = cpu_share(gateway.pid, (1 if quick else 4) * HEARTBEAT_S)
    request = gateway.request(CHAT)
    sample["served"] = tools.load(gateway.address, "closed", SERVING_CONNECTIONS, 1 if quick else 4, request)
    sample["losses"] = sum(holder.losses() for holder in holders)
    return sample


def live_providers(tools, quick):
    """Row: so many providers on one gateway, with their heartbeats, while it serves."""
    count = 1500 if quick else LIVE_PROVIDERS
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(Gateway(tools))
        before = harness.memory_bytes(gateway.pid)[0]
        token, begun = gateway.invite(count), time.monotonic()
        holders = [stack.enter_context(Holder(tools, gateway, token, count // HOLDERS)) for _ in range(HOLDERS)]
        for holder in holders:
            holder.wait_ready(180)
        joined_s = time.monotonic() - begun
        say(f"  {count} joined in {joined_s:.1f} s")
        held = hold(tools, gateway, holders, quick)
        sample = {"providers": count, "joined_s": joined_s, "rss_before": before, **held}
    beats = count / HEARTBEAT_S
    served = sample["served"]
    each = sample["idle_cpu_percent"] / 100 / beats * 1e6
    note = f"all joined in {joined_s:.1f} s; {sample['losses']} links lost"
    rows = [row("live providers on one gateway", count, "links", None, note)]
    note = f"{(sample['rss'] - before) / 2**20:.0f} MB with {count}, each with a heartbeat, just after they joined"
    rows.append(row("gateway memory per live provider", (sample["rss"] - before) / count / 1024, "KB", 4.0, note))
    note = f"of one core; {beats:.0f} heartbeats/s, {each:.1f} us each"
    rows.append(row(f"gateway CPU for {count} idle providers", sample["idle_cpu_percent"], "%", None, note))
    rate = f"{served['per_second']:.0f} requests/s over them from {SERVING_CONNECTIONS} connections"
    note = f"{rate}; p50 {served['p50_us'] / 1000:.1f} ms"
    rows.append(row("p99 of a request meanwhile", served["p99_us"] / 1000, "ms", None, note))
    if sample["losses"] > 0:
        raise BenchError(f"{sample['losses']} of {count} links were lost")
    return rows, [sample]


def read_text(connection):
    """Reads on until there is text."""
    seen = b""
    while b'"delta":{"content":"' not in seen:
        piece = connection.recv(65536)
        if not piece or b'"error"' in piece:
            raise BenchError(f"a stream ended early: {piece!r}")
        seen += piece


def lose_device(gateway, how):
    """From the loss of the one device that makes a stream to the stream's next text, from a second one, in ms."""
    host, port = gateway.address.split(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(stream_request(gateway, "tokens=4000 rate=20"))
        read_text(connection)
        making = gateway.providers[-1]
        gateway.add_scripted(1, 4)
        read_text(connection)  # its own next one would come 50 ms later
        making.send_signal(how)
        lost_at = time.monotonic()
        read_text(connection)
        waited_ms = (time.monotonic() - lost_at) * 1000
    making.kill()
    making.wait()
    return waited_ms


def device_lost(tools, quick):
    """Row: a stream's device stops answering, or its process is killed; how long until the stream goes on."""
    samples = {"SIGSTOP": [], "SIGKILL": []}
    with Gateway(tools) as gateway:
        gateway.add_scripted(1, 4)
        for _ in range(1 if quick else 7):
            for name, taken in samples.items():
                taken.append(lose_device(gateway, signal.Signals[name]))
    rows = []
    for name, what, aim in (("SIGSTOP", "stops answering", 2000), ("SIGKILL", "is killed", 100)):
        note = f"slowest {max(samples[name]):.0f} ms; 50 ms are the other device's first token"
        title = f"a stream goes on elsewhere when its device {what}"
        rows.append(row(title, statistics.median(samples[name]), "ms", aim, note))
    return rows, samples
