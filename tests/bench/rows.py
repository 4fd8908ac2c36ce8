"""The measurements of `make bench`. Each takes the tools and a quick flag and returns its rows and raw samples."""

import contextlib
import select
import socket
import statistics
import subprocess
import time

import harness
from harness import SCRIPTED_MODEL, BenchError, Gateway, cpu_seconds, say

CONNECTIONS = 64
IDLE_PROVIDERS = 4000
# Requests/s at which latencies are measured, at most: beyond it the two cores that generator, gateway and provider
# share are full, and the scheduler is measured. One request at a time costs all of them more than the closed loop's
# batches.
LATENCY_RATE_MAX = 20000

CHAT = {
    "model": SCRIPTED_MODEL,
    "messages": [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is Python?"},
        {"role": "assistant", "content": "Python is a programming language..."},
        {"role": "user", "content": "Show me an example"},
    ],
    "max_tokens": 16,
}


def row(name, value, unit, aim=None, note=""):
    """`aim`: at most so much; None: for comparison only."""
    met = None if aim is None else value <= aim
    return {"name": name, "value": value, "unit": unit, "aim": aim, "met": met, "note": note}


def median_of(samples, key):
    return statistics.median(sample[key] for sample in samples)


# --- Plain requests, against nginx ---


def closed_loop(tools, target, request, seconds):
    before = cpu_seconds(target.pid)
    result = tools.load(target.address, "closed", CONNECTIONS, seconds, request)
    result["cpu_us"] = (cpu_seconds(target.pid) - before) * 1e6 / result["answers"]
    return result


def closed_loops(tools, targets, request, seconds, turns):
    """Nginx and gateway in turns, and the ratios of each turn."""
    pairs = []
    for turn in range(turns):
        pair = {name: closed_loop(tools, target, request, seconds) for name, target in targets.items()}
        pair["cpu_ratio"] = pair["gateway"]["cpu_us"] / pair["nginx"]["cpu_us"]
        pair["rate_ratio"] = pair["gateway"]["per_second"] / pair["nginx"]["per_second"]
        pairs.append(pair)
        say(f"  turn {turn + 1}: CPU ratio {pair['cpu_ratio']:.2f}, requests/s ratio {pair['rate_ratio']:.2f}")
    return pairs


def added_latency(tools, targets, request, rate, seconds, turns):
    """Latencies of the gateway, the proxy and the bare upstream at one open-loop rate, in turns."""
    turns_taken = []
    for turn in range(turns):
        taken = {}
        for name, target in targets.items():
            taken[name] = tools.load(target.address, "rate", rate, seconds, request)
            if taken[name]["per_second"] < 0.97 * rate:
                say(f"  {name} answered only {taken[name]['per_second']:.0f} of {rate} requests/s")
        direct = taken["upstream"]
        for name in ("gateway", "nginx"):
            for part in ("p50_us", "p99_us"):
                taken[name]["added_" + part] = taken[name][part] - direct[part]
        turns_taken.append(taken)
        added = ", ".join(f"{name} {taken[name]['added_p99_us']} us" for name in ("gateway", "nginx"))
        say(f"  turn {turn + 1}: added p99: {added}")
    return turns_taken


def latency_rows(turns, load):
    rows = []
    for part, aim in (("p50", None), ("p99", 1.0)):
        mine, peer = (
            statistics.median(turn[name][f"added_{part}_us"] for turn in turns) / 1000 for name in ("gateway", "nginx")
        )
        note = f"nginx adds {peer:.2f} ms; at {load}"
        rows.append(row(f"added latency {part}, half load or {LATENCY_RATE_MAX}/s", mine, "ms", aim, note))
    return rows


def plain_requests(tools, quick):
    """Rows 1 to 3: CPU per request, requests/s and added latency, each beside nginx as a proxy."""
    seconds, turns = (1, 2) if quick else (3, 5)
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(Gateway(tools))
        gateway.add_scripted(1, 256)
        request = gateway.request(CHAT)
        status, answer = harness.ask(gateway.address, request)
        if status != 200:
            raise BenchError(f"a chat request got {status}: {answer}")
        upstream = stack.enter_context(harness.static_upstream(tools, answer))
        nginx = stack.enter_context(harness.proxy(tools, upstream))
        for target in (upstream, nginx, gateway):  # warm up
            tools.load(target.address, "closed", CONNECTIONS, 1, request)

        pids = [upstream.pid, nginx.pid, gateway.pid, gateway.providers[0].pid]
        stack.enter_context(harness.undisturbed(tools, pids))
        pairs = closed_loops(tools, {"nginx": nginx, "gateway": gateway}, request, seconds, turns)
        direct = tools.load(upstream.address, "closed", CONNECTIONS, 1, request)
        most = statistics.median(pair["gateway"]["per_second"] for pair in pairs)
        rate = int(min(most / 2, direct["per_second"] / 2, LATENCY_RATE_MAX))
        targets = {"upstream": upstream, "nginx": nginx, "gateway": gateway}
        latencies = added_latency(tools, targets, request, rate, 1 if quick else 1.5, turns)

    cpu = {name: statistics.median(pair[name]["cpu_us"] for pair in pairs) for name in ("gateway", "nginx")}
    rates = {name: statistics.median(pair[name]["per_second"] for pair in pairs) for name in ("gateway", "nginx")}
    note = f"{cpu['gateway']:.1f} us against {cpu['nginx']:.1f} us"
    rows = [row("gateway CPU per plain request / nginx proxy_pass", median_of(pairs, "cpu_ratio"), "", 1.0, note)]
    note = f"{rates['gateway']:.0f} against {rates['nginx']:.0f}"
    rows.append(row("gateway requests/s / nginx proxy_pass", median_of(pairs, "rate_ratio"), "", None, note))
    rows += latency_rows(latencies, f"{rate} requests/s, {100 * rate / most:.0f} % of the most")
    return rows, {"closed_loop": pairs, "half_load": latencies, "upstream_alone": direct}


# --- Streams ---


STREAM_LOADS = ((193, 100), (250, 400))  # streams, tokens/s of each; 193: their deltas fall evenly between each other's


def stream_load(tools, gateway, target, streams, rate, seconds):
    body = {
        "model": SCRIPTED_MODEL,
        "stream": True,
        "max_tokens": 4000,
        "messages": [{"role": "user", "content": f"Count. [[script tokens=4000 rate={rate}]]"}],
    }
    before = cpu_seconds(target.pid)
    sample = tools.load(target.address, "stream", streams, seconds, gateway.request(body))
    sample["cpu_us"] = (cpu_seconds(target.pid) - before) * 1e6 / sample["events"]
    sample["events_per_second"] = sample["events"] / sample["seconds"]
    time.sleep(0.3)  # until the cut streams' slots are free
    return sample


def stream_cpu(tools, quick):
    """Row 4: CPU per event of long streams from eight providers, of the gateway and of an nginx that relays them."""
    samples = []
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(Gateway(tools))
        gateway.add_scripted(8, 32)
        nginx = stack.enter_context(harness.proxy(tools, gateway, "proxy_buffering off;"))
        for turn in range(1 if quick else 3):
            for streams, rate in STREAM_LOADS:
                pair = {"streams": streams, "rate": rate}
                for name, target in (("gateway", gateway), ("nginx", nginx)):
                    pair[name] = stream_load(tools, gateway, target, streams, rate, 2 if quick else 3)
                pair["cpu_ratio"] = pair["gateway"]["cpu_us"] / pair["nginx"]["cpu_us"]
                samples.append(pair)
                costs = " and ".join(f"{pair[name]['cpu_us']:.1f} us in {name}" for name in ("gateway", "nginx"))
                say(f"  turn {turn + 1}: {streams} streams of {rate} tokens/s: {costs} a delta")
    rows = []
    for streams, rate in STREAM_LOADS:
        pairs = [pair for pair in samples if pair["rate"] == rate]
        mine = [pair["gateway"] for pair in pairs]
        load = f"{streams} streams of {rate} tokens/s"
        note = f"{load}; nginx takes {statistics.median(pair['nginx']['cpu_us'] for pair in pairs):.1f} us"
        rows.append(row("gateway CPU per delta / nginx relaying it", median_of(pairs, "cpu_ratio"), "", None, note))
        note = f"{load}: {median_of(mine, 'events_per_second'):.0f} deltas/s"
        rows.append(row("gateway CPU per streamed delta", median_of(mine, "cpu_us"), "us", 6.0, note))
    return rows, samples


# --- Memory ---


def idle_memory(tools, quick):
    """Row 5: what the gateway grows by when idle providers connect."""
    count = 500 if quick else IDLE_PROVIDERS
    with Gateway(tools) as gateway:
        gateway.get("/v1/models")
        time.sleep(0.5)
        before = harness.memory_bytes(gateway.pid)
        argv = [tools.build / "bench_idle_providers", gateway.url, gateway.invite(count), str(count)]
        log = tools.folder / "idle.log"
        with harness.running(argv, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as idle:
            if not select.select([idle.stdout], [], [], 60)[0] or idle.stdout.readline() != b"ready\n":
                raise BenchError(f"{count} idle providers did not connect:\n{harness.tail(log)}")
            time.sleep(1 if quick else 6)  # a heartbeat of each
            after = harness.memory_bytes(gateway.pid)
    rss, pss = ((after[i] - before[i]) / count / 1024 for i in (0, 1))
    sample = {"providers": count, "rss_before": before[0], "rss_after": after[0], "pss_before": before[1]}
    sample["pss_after"] = after[1]
    note = f"RSS with {count}; {pss:.2f} KB by PSS"
    return [row("gateway memory per idle provider", rss, "KB", 4.0, note)], [sample]


# --- Times ---


def gateway_start(tools, quick):
    """Row 7: from exec to the line that says where it listens, with the data folder of an earlier start."""
    samples = []
    folder = tools.new_folder("start")
    for turn in range(4 if quick else 11):
        with Gateway(tools, folder) as gateway:
            if turn > 0:  # the first makes the store
                samples.append(gateway.start_ms)
    note = f"slowest {max(samples):.1f} ms"
    return [row("start-up of the gateway", statistics.median(samples), "ms", 50, note)], samples


def read_until(connection, text, seen=b""):
    """Reads on until what came holds the text; gives all that came."""
    while text not in seen:
        piece = connection.recv(65536)
        if not piece:
            raise BenchError(f"a stream ended early: {seen[-300:]!r}")
        seen += piece
    return seen


def stream_request(gateway, script):
    messages = [{"role": "user", "content": f"Tell it. [[script {script}]]"}]
    return gateway.request({"model": SCRIPTED_MODEL, "stream": True, "max_tokens": 4000, "messages": messages})


def slot_freed(tools, quick):
    """Row 8: from the close of a stream that holds the only slot to the first word of the stream that waits for it."""
    first_word = b'"delta":{"content":"'
    samples = []
    with Gateway(tools) as gateway:
        gateway.add_scripted(1, 1)
        host, port = gateway.address.split(":")
        for _ in range(5 if quick else 20):
            with contextlib.ExitStack() as stack:
                holder, waiter = (
                    stack.enter_context(socket.create_connection((host, int(port)), 20)) for _ in range(2)
                )
                holder.sendall(stream_request(gateway, "tokens=4000 rate=50"))
                read_until(holder, first_word)
                waiter.sendall(stream_request(gateway, "tokens=4 rate=0"))
                if select.select([waiter], [], [], 0.1)[0]:
                    raise BenchError("the second stream did not have to wait")
                closed_at = time.monotonic()
                holder.close()
                seen = read_until(waiter, first_word)
                samples.append((time.monotonic() - closed_at) * 1000)
                read_until(waiter, b"[DONE]", seen)
    note = f"slowest {max(samples):.1f} ms"
    return [row("a closed stream's slot serves the next request", statistics.median(samples), "ms", 100, note)], samples
