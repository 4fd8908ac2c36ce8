"""Who asks for what takes long, and who has many accounts, makes nobody wait: chats beside clients that ask for usage
without pause on a million generations, the start with 100,000 accounts, settlements while the log is written back."""

import concurrent.futures
import http.client
import json
import statistics
import time

import fill_generations
from harness import SCRIPTED_MODEL, BenchError, Gateway, say
from rows import median_of, row
from store_rows import bench_store

USAGE_CLIENTS = 4
GENERATIONS = 1_000_000
ACCOUNTS = 100_000
RATE = 4000  # settlements/s while their p99 is measured: the log is written back some ten times in a run


def filled(tools, name, fill, count):
    """A data folder that a gateway has made, filled while none runs."""
    folder = tools.new_folder(name)
    with Gateway(tools, folder):
        pass
    fill(folder / "nataris.db", count)
    return folder


class Chats:
    """One client that sends chats one after the other, each looked up in the store before it runs."""

    def __init__(self, gateway, kind):
        self.connection = http.client.HTTPConnection(*gateway.address.split(":"), timeout=120)
        self.headers = {"Authorization": f"Bearer {gateway.api_key}", "Content-Type": "application/json"}
        self.kind, self.count = kind, 0
        self.conversation = self.ask("/v1/conversations", {})["id"] if kind == "conversation" else None

    def ask(self, path, body, **headers):
        self.connection.request("POST", path, json.dumps(body), {**self.headers, **headers})
        response = self.connection.getresponse()
        text = response.read()
        if response.status not in (200, 201):
            raise BenchError(f"{path} got {response.status}: {text}")
        return json.loads(text)

    def p50_ms(self, seconds):
        body = {"model": SCRIPTED_MODEL, "max_tokens": 8, "messages": [{"role": "user", "content": "Hi there"}]}
        samples, end = [], time.monotonic() + seconds
        while time.monotonic() < end or len(samples) < 3:
            self.count += 1
            started = time.monotonic()
            if self.conversation:
                self.ask("/v1/chat/completions", {**body, "conversation_id": self.conversation})
            else:
                self.ask("/v1/chat/completions", body, **{"Idempotency-Key": f"bench-{self.kind}-{self.count}"})
            samples.append((time.monotonic() - started) * 1000)
        return statistics.median(samples)


def beside_usage(tools, gateway, chats, seconds):
    """The chats' p50 alone, and while others ask for usage; answers of usage a second."""
    request = gateway.request(None, "/v1/usage")
    alone = chats.p50_ms(seconds)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        load = pool.submit(tools.load, gateway.address, "closed", USAGE_CLIENTS, seconds + 2, request)
        time.sleep(0.7)  # until they are all at it
        beside = chats.p50_ms(seconds)
        usage = load.result()
    return {"alone_ms": alone, "beside_ms": beside, "ratio": beside / alone, "usage_per_s": usage["per_second"]}


def stalls(tools, quick):
    count = 20_000 if quick else GENERATIONS
    seconds, turns = (1, 1) if quick else (3, 3)
    folder = filled(tools, "usage", fill_generations.fill_generations, count)
    samples = {"idempotency": [], "conversation": []}
    with Gateway(tools, folder) as gateway:
        gateway.add_scripted(1, 16)
        for turn in range(turns):
            for kind, taken in samples.items():
                taken.append(beside_usage(tools, gateway, Chats(gateway, f"{kind}-{turn}" if kind != "conversation"
                                                                else kind), seconds))
                say(f"  turn {turn + 1}, {kind}: {taken[-1]['alone_ms']:.2f} ms, beside usage "
                    f"{taken[-1]['beside_ms']:.2f} ms")
    rows = []
    for kind, words in (("idempotency", "an idempotency key"), ("conversation", "a conversation")):
        taken = samples[kind]
        note = (f"{median_of(taken, 'alone_ms'):.2f} ms alone, {median_of(taken, 'beside_ms'):.2f} ms beside "
                f"{USAGE_CLIENTS} clients with {median_of(taken, 'usage_per_s'):.0f} answers/s; {count:,} generations")
        rows.append(row(f"chat with {words} beside usage / alone, p50", median_of(taken, "ratio"), "", 1.5, note))
    return rows, samples


def many_accounts(tools, quick):
    count = 1_000 if quick else ACCOUNTS
    folders = {"none": tools.new_folder("accounts"), "many": None}
    folders["many"] = filled(tools, "accounts", fill_generations.fill_accounts, count)
    samples = {"none": [], "many": []}
    for turn in range(3 if quick else 8):
        for name, folder in folders.items():
            with Gateway(tools, folder) as gateway:
                if turn > 0:  # the first makes the store, or is the first to read it
                    samples[name].append(gateway.start_ms)
    few, many = statistics.median(samples["none"]), statistics.median(samples["many"])
    note = f"{many:.1f} ms against {few:.1f} ms"
    return [row(f"start-up with {count:,} accounts / with one", many / few, "", 1.2, note)], samples


def log_written_back(tools, quick):
    records = 8_000 if quick else 40_000
    samples = [bench_store(tools, "--records", records, "--rate", RATE) for _ in range(1 if quick else 3)]
    p50, p99 = median_of(samples, "p50_us") / 1000, median_of(samples, "p99_us") / 1000
    note = f"p50 {p50:.2f} ms; {RATE} settlements/s, with the log written back meanwhile"
    return [row("settlement, p99", p99, "ms", None, note)], samples
