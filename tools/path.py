#!/usr/bin/env python3
"""How long the way of one streamed chat through the gateway is: calls, functions and files.

Builds the preset "trace" (each call of a function of ours is written down, tests/trace/trace_calls.c), runs a gateway
and a device with the scripted engine, sends one streamed chat of 21 tokens on a connection of its own, and counts:

- the whole chat: from the request's bytes to the answer's last;
- bytes to job frame: from the request's bytes until its job leaves for the device;
- one delta: from the device's bytes to the client's, the middle one of all.

--list names the files of bytes to job frame, --functions the functions too. --max-files N fails when it passes N files.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BINARY = ROOT / "build-trace" / "nataris"
MODEL = "llama-3.2-1b-instruct-q4_k_m"
MARK = "violoncello"
TOKENS = 21
PATIENCE_S = 60

CALL, READ, WRITE = 1, 2, 3
RECORD = struct.Struct("<IIiIQ")
Record = collections.namedtuple("Record", "kind thread fd marked value")


class Network:
    """A gateway and one device, each a process; they end with the block."""

    def __init__(self, folder):
        self.folder, self.programs = pathlib.Path(folder), []
        self.trace = self.folder / "calls"

    def __enter__(self):
        environment = dict(os.environ, NATARIS_TRACE_CALLS=str(self.trace), NATARIS_TRACE_MARK=MARK)
        data = str(self.folder / "data")
        gateway = self.start(["gateway", "--data", data, "--listen", "127.0.0.1:0", "--json"], environment)
        facts = json.loads(gateway.stdout.readline())
        self.key, self.port = facts["api_key"], int(facts["base_url"].split(":")[2].split("/")[0])
        command = [BINARY, "provider", "invite", "--data", data, "--json"]
        invite = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        self.start(
            ["provider", "--gateway", invite["url"], "--join", invite["token"], "--data", str(self.folder / "device")]
            + ["--quiet", "--engine", "scripted", "--model", MODEL]
        )
        self.until_available()
        return self

    def start(self, arguments, environment=None):
        command = [BINARY, *arguments]
        log = (self.folder / "log").open("ab")
        self.programs.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log))
        return self.programs[-1]

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.send_signal(signal.SIGTERM)
            program.wait(timeout=PATIENCE_S)

    def ask(self, method, path, body=b""):
        """One request on a connection of its own; gives the whole answer."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as connection:
            connection.sendall(head.encode() + body)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    def until_available(self):
        end = time.monotonic() + PATIENCE_S
        while b'"available":true' not in self.ask("GET", f"/v1/models/{MODEL}"):
            if time.monotonic() > end:
                sys.exit(f"path: the device did not come\n{(self.folder / 'log').read_text()}")
            time.sleep(0.1)

    def chat(self, mark):
        content = f"{mark} [[script tokens={TOKENS} rate=50]]"
        body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": content}]}
        answer = self.ask("POST", "/v1/chat/completions", json.dumps(body).encode())
        if b"data: [DONE]" not in answer:
            sys.exit(f"path: the chat failed\n{answer.decode()}")

    def records(self):
        data = self.trace.read_bytes()
        for fields in RECORD.iter_unpack(data[: len(data) // RECORD.size * RECORD.size]):
            if fields[0] == 0:
                return
            yield Record(*fields)


class Names:
    """Where in the program -> (function, file)"""

    def __init__(self, places):
        self.of = {}
        places = sorted(places)
        run = subprocess.run(
            ["addr2line", "-f", "-C", "-e", str(BINARY)],
            input="\n".join(hex(place) for place in places), stdout=subprocess.PIPE, text=True, check=True,
        )
        lines = run.stdout.splitlines()
        for place, function, where in zip(places, lines[::2], lines[1::2]):
            file = os.path.relpath(os.path.realpath(where.rsplit(":", 1)[0]), ROOT)
            self.of[place] = (function, file)


def first(records, begin, wanted):
    for index in range(begin, len(records)):
        if wanted(records[index]):
            return index
    return sys.exit("path: the trace does not show the chat's way")


def last(records, wanted):
    return max(index for index, record in enumerate(records) if wanted(record))


def deltas(records, client, device):
    """The way of each delta: from a read of the device's bytes to the write of the client's, no other read between."""
    start = None
    for index, record in enumerate(records):
        if record.kind == READ:
            start = index if record.fd == device else None
        elif record.kind == WRITE and record.fd == client and start is not None:
            yield records[start:index]
            start = None


def measure(records):
    request = first(records, 0, lambda record: record.kind == READ and record.marked)
    client, loop = records[request].fd, records[request].thread
    frame = first(records, request, lambda record: record.kind == WRITE and record.marked and record.fd != client)
    device = records[frame].fd
    end = last(records, lambda record: record.kind == WRITE and record.fd == client)
    ways = list(deltas([record for record in records[frame:end] if record.thread == loop], client, device))
    ways.sort(key=lambda way: sum(record.kind == CALL for record in way))
    return {
        "the whole chat": records[request : end + 1],
        "bytes to job frame": records[request:frame],
        "one delta": ways[len(ways) // 2],
    }, len(ways)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the files of bytes to job frame")
    parser.add_argument("--functions", action="store_true", help="name its functions too")
    parser.add_argument("--max-files", type=int, help="fail when bytes to job frame passes so many files")
    options = parser.parse_args()
    command = [ROOT / "tools" / "build.sh", "trace", "nataris"]
    build = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if build.returncode:
        sys.exit(build.stdout)
    with tempfile.TemporaryDirectory(prefix="nataris-path-") as folder:
        network = Network(folder)
        with network:
            network.chat("first")
            network.chat(MARK)
        records = list(network.records())
    ways, count = measure(records)
    names = Names({record.value for way in ways.values() for record in way if record.kind == CALL}).of
    print(f"one streamed chat of {count} deltas")
    files = {}
    for what, way in ways.items():
        called = [names[record.value] for record in way if record.kind == CALL]
        files[what] = sorted({file for _, file in called})
        print(f"{what}: {len(called)} calls of {len(set(called))} functions in {len(files[what])} files")
    if options.list or options.functions:
        called = {names[record.value] for record in ways["bytes to job frame"] if record.kind == CALL}
        for file in files["bytes to job frame"]:
            functions = sorted(function for function, where in called if where == file)
            print(f"  {file}" + (f": {' '.join(functions)}" if options.functions else ""))
    return 1 if options.max_files and len(files["bytes to job frame"]) > options.max_files else 0


if __name__ == "__main__":
    sys.exit(main())
