"""The rows of `make bench` on long prompts: how fast one is read through client, gateway, provider and llama child,
against llama.cpp's own way of reading it (`nataris-llama --bench-prefill`: the steps of its server, nothing else to
do); and the longest gap in a running stream while another client's prompt of 1,800 tokens is read. With `--before
FOLDER` the same through an earlier build, in turns."""

import contextlib
import json
import socket
import statistics
import subprocess
import threading
import time

import engine_row
import harness
from harness import BenchError, Gateway, cpu_seconds, say

PROMPT_TOKENS = 1800
AIM, GAP_AIM_MS = 0.95, 150
WORDS = "The boats left the harbour before dawn and the sea was grey and quiet under a low sky. "
TOKENS_OF_WORDS = 19  # about, with the vocabularies of both models
BARE_THREADS = 1


def long_text(number, tokens):
    """About so many tokens; none of it is in a cache after another number."""
    return f"Log {number}. " + WORDS * (tokens // TOKENS_OF_WORDS)


def ask_once(gateway, model, text):
    """Seconds until one token of answer, and the tokens of the prompt."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 1, "temperature": 0}
    started = time.monotonic()
    status, answer = harness.ask(gateway.address, gateway.request(body), 300)
    if status != 200:
        raise BenchError(f"a long prompt got {status}: {answer[-300:]!r}")
    return time.monotonic() - started, json.loads(answer)["usage"]["prompt_tokens"]


def attempted(turns, name, turn, *arguments):
    """Adds what the turn measures; an earlier build may not serve such a prompt at all on a slow machine."""
    try:
        turns.append(turn(*arguments))
    except BenchError as error:
        if not name:
            raise
        say(f"  {name.strip()}: {error}")


def stack_turn(gateway, model, number, tokens):
    child = engine_row.llama_child(gateway)
    cpu_before = cpu_seconds(child)
    seconds, count = ask_once(gateway, model, long_text(number, tokens))
    return {"tokens": count, "seconds": seconds, "cpu_seconds": cpu_seconds(child) - cpu_before}


def bare_turn(tools, path, number, tokens):
    argv = [tools.llama, "--bench-prefill", path, "1", long_text(number, tokens), str(BARE_THREADS)]
    run = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=300)
    result = json.loads(run.stdout)
    return {"tokens": result["tokens"], **result["rounds"][0]}


class Stream:
    """A running stream, and when each of its pieces came."""

    def __init__(self, gateway, model):
        self.times, self.open = [], True
        text = "Tell a very long story of the sea. Never stop."
        body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 1500, "stream": True}
        host, port = gateway.address.split(":")
        self.connection = socket.create_connection((host, int(port)), 60)
        self.connection.sendall(gateway.request(body))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        with contextlib.suppress(OSError):
            while self.open:
                piece = self.connection.recv(65536)
                if not piece or b"data: [DONE]" in piece:
                    break
                if b'"content"' in piece:
                    self.times.append(time.monotonic())
        self.open = False

    def close(self):
        self.open = False
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.connection.close()

    def gaps_ms(self, since, until):
        times = [at for at in self.times if since - 0.2 <= at <= until]
        return [1000 * (after - before) for before, after in zip(times, times[1:])]


def gap_turn(gateway, model, number, tokens):
    """The gaps of a stream while a prompt is read, as long as it lasts; None when it ended too early."""
    stream = Stream(gateway, model)
    harness.wait_for("a stream", 30, lambda: len(stream.times) > 8 or not stream.open)
    started = time.monotonic()
    seconds, count = ask_once(gateway, model, long_text(number, tokens))
    ended = started + seconds
    stream.close()
    gaps = sorted(stream.gaps_ms(started, ended))
    if len(gaps) < 16:
        return None
    return {"tokens": count, "seconds": seconds, "longest_ms": gaps[-1], "p99_ms": gaps[int(len(gaps) * 0.99)],
            "median_ms": statistics.median(gaps), "pieces": len(gaps)}


def per_token(turns, key):
    return statistics.median(turn[key] / turn["tokens"] for turn in turns)


def prefill_row(name, turns, bare):
    """By CPU time, which neighbours on the machine disturb least; by the clock in the note."""
    value = per_token(bare, "cpu_seconds") / per_token(turns, "cpu_seconds")
    clock = per_token(bare, "seconds") / per_token(turns, "seconds")
    note = f"{1 / per_token(turns, 'seconds'):.0f} against {1 / per_token(bare, 'seconds'):.0f} tokens/s, "
    note += f"{clock:.3f} by the clock; {turns[0]['tokens']} tokens"
    return {"name": name, "value": value, "unit": "", "aim": AIM, "at_least": True, "met": value >= AIM, "note": note}


def gap_row(name, turns):
    value = statistics.median(turn["longest_ms"] for turn in turns)
    note = f"p99 {statistics.median(turn['p99_ms'] for turn in turns):.0f} ms, median "
    note += f"{statistics.median(turn['median_ms'] for turn in turns):.0f} ms; the prompt took "
    note += f"{statistics.median(turn['seconds'] for turn in turns):.1f} s; turns "
    note += ", ".join(f"{turn['longest_ms']:.0f}" for turn in turns)
    return {"name": name, "value": value, "unit": "ms", "aim": GAP_AIM_MS, "met": value <= GAP_AIM_MS, "note": note}


def sides_of(tools, stack):
    """The builds to measure, each with a gateway and a provider: this one, and the one before."""
    builds = {"": tools}
    if tools.before is not None:
        builds[" (build before)"] = harness.Tools(tools.before, tools.new_folder("before"), tools.real_time)
    sides = {}
    for name, build in builds.items():
        gateway = stack.enter_context(Gateway(build))
        sides[name] = (gateway, *engine_row.open_provider(build, gateway))
        ask_once(gateway, sides[name][1], "Hello")
    return sides


def long_prompts(tools, quick):
    tokens, rounds = PROMPT_TOKENS // (6 if quick else 1), 1 if quick else 3
    samples = {"bare": []}
    with contextlib.ExitStack() as stack:
        sides = sides_of(tools, stack)
        for name in sides:
            samples["prefill" + name], samples["gap" + name] = [], []
        for turn in range(rounds):
            samples["bare"].append(bare_turn(tools, sides[""][2], turn, tokens))
            for name, (gateway, model, _) in sides.items():
                attempted(samples["prefill" + name], name, stack_turn, gateway, model, turn, tokens)
            for name, (gateway, model, _) in sides.items():
                attempted(samples["gap" + name], name, gap_turn, gateway, model, 100 + turn, tokens)
            say(f"  turn {turn + 1} of {rounds}")
    rows = []
    for name in sides:
        if samples["prefill" + name]:
            rows.append(prefill_row(f"prefill / llama.cpp's own{name}", samples["prefill" + name], samples["bare"]))
        gaps = [gap for gap in samples["gap" + name] if gap is not None]
        if gaps:
            rows.append(gap_row(f"longest gap of a stream, prompt arriving{name}", gaps))
    return rows, samples
