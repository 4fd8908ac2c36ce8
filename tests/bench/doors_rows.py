"""The row of passers-by: what a flood without a key does to good requests from another address."""

import contextlib
import socket
import statistics
import threading

import harness
from harness import Gateway, say
from rows import CHAT, row

IDLE = 3000  # connections that say nothing
BODIES = 64  # of 4 MiB each, without a key, at a time: 256 MiB
BODY_BYTES = 4 * 2**20
PASSER = "127.0.0.2"
RATE = 500  # good requests/s: what is measured is waiting, not a full machine


class Flood:
    """All of it from one address, and again whatever is closed."""

    def __init__(self, gateway):
        host, _, port = gateway.address.partition(":")
        self.address, self.over = (host, int(port)), threading.Event()
        self.sent = self.refused = 0

    def connect(self):
        return socket.create_connection(self.address, timeout=5, source_address=(PASSER, 0))

    def send_bodies(self):
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % BODY_BYTES
        piece = b" " * 65536
        while not self.over.wait(0.05):
            socks = []
            for _ in range(BODIES // 4):
                with contextlib.suppress(OSError):
                    socks.append(self.connect())
                    socks[-1].sendall(head)
                    for _ in range(BODY_BYTES // len(piece)):
                        socks[-1].sendall(piece)
                        self.sent += len(piece)
            for sock in socks:
                with contextlib.suppress(OSError):
                    self.refused += sock.recv(16).startswith(b"HTTP/1.1 401")
                sock.close()

    def __enter__(self):
        self.idle = [self.connect() for _ in range(IDLE)]
        self.threads = [threading.Thread(target=self.send_bodies, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(10)
        for sock in self.idle:
            sock.close()


def flood(tools, quick):
    """Row: p99 of good requests beside 3,000 idle connections and 256 MiB of keyless bodies from one other address."""
    seconds, turns = (1, 2) if quick else (4, 5)
    samples = []
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(Gateway(tools))
        gateway.add_scripted(1, 256)
        request = gateway.request(CHAT)
        tools.load(gateway.address, "rate", RATE, 1, request)
        for turn in range(turns):
            quiet = tools.load(gateway.address, "rate", RATE, seconds, request)
            with Flood(gateway) as crowd:
                loud = tools.load(gateway.address, "rate", RATE, seconds, request)
            samples.append({"quiet": quiet, "flood": loud, "bytes": crowd.sent, "refused": crowd.refused,
                            "ratio": loud["p99_us"] / quiet["p99_us"]})
            say(f"  turn {turn + 1}: p99 {quiet['p99_us']} us alone, {loud['p99_us']} us beside the flood")
    ratio = statistics.median(sample["ratio"] for sample in samples)
    alone = statistics.median(sample["quiet"]["p99_us"] for sample in samples) / 1000
    refused = sum(sample["refused"] for sample in samples)
    note = f"p99 alone {alone:.2f} ms at {RATE} requests/s; {refused} keyless bodies were refused at their heads"
    return [row("p99 beside a flood of passers-by / alone", ratio, "", 2.0, note)], samples
