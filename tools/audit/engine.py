"""The engine's child process, nataris-llama, driven without a network: src/engine/llama_frames.h has the frames."""

import json
import os
import select
import socket
import struct
import subprocess
import time

HEAD = struct.Struct("<IBQ")
JOB, CANCEL, READY, REFUSED, ACCEPT, DELTA, DONE, READ, FAILED = range(1, 10)
SCORE, SCORED = 13, 14
DONE_PAYLOAD = struct.Struct("<iIIIIII")
SCORE_PAYLOAD = struct.Struct("<III?3x4d")
FINISHES = ["stop", "length", "cancelled"]
PATIENCE_S = 1200


class Answer:
    def __init__(self):
        self.ids, self.text, self.finish, self.cached, self.prompt = [], b"", None, 0, 0

    def wire(self):
        return {"finish": self.finish, "text": self.text.decode(), "token_ids": self.ids}


class Engine:
    """One child with one model. Jobs of a call run beside each other, as many as there are slots."""

    def __init__(self, program, model, slots, context, threads=1):
        ours, theirs = socket.socketpair()
        command = [program, "--model", model, "--slots", str(slots), "--context", str(context),
                   "--threads", str(threads)]
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" "$@" 3<&{theirs.fileno()}', *command], pass_fds=(theirs.fileno(),),
            stderr=subprocess.DEVNULL)
        theirs.close()
        self.channel, self.input, self.next_job = ours, b"", 1
        kind, _, payload = self._frame()
        if kind != READY:
            raise RuntimeError(f"{model} does not load: {payload[1:].decode()}")

    def close(self):
        self.channel.close()
        self.process.wait()

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _send(self, kind, job, value):
        payload = json.dumps(value).encode()
        self.channel.sendall(HEAD.pack(9 + len(payload), kind, job) + payload)

    def _frame(self):
        until = time.monotonic() + PATIENCE_S
        while True:
            if len(self.input) >= HEAD.size:
                length, kind, job = HEAD.unpack_from(self.input)
                if len(self.input) >= 4 + length:
                    payload, self.input = self.input[HEAD.size:4 + length], self.input[4 + length:]
                    return kind, job, payload
            if not select.select([self.channel], [], [], max(0, until - time.monotonic()))[0]:
                raise RuntimeError("the engine says nothing")
            more = self.channel.recv(1 << 16)
            if not more:
                raise RuntimeError("the engine has ended")
            self.input += more

    def _submit(self, kind, values):
        first = self.next_job
        self.next_job += len(values)
        for number, value in enumerate(values):
            self._send(kind, first + number, value)
        return first

    def generate(self, requests):
        """An Answer for each request; they run beside each other."""
        first = self._submit(JOB, requests)
        answers = [Answer() for _ in requests]
        left = len(requests)
        while left > 0:
            kind, job, payload = self._frame()
            answer = answers[job - first]
            if kind == DELTA:
                (count,) = struct.unpack_from("<I", payload)
                answer.ids += struct.unpack_from(f"<{count}I", payload, 4)
                answer.text += payload[4 + 4 * count:]
            elif kind == DONE:
                finish, answer.prompt, _, answer.cached = DONE_PAYLOAD.unpack(payload)[:4]
                answer.finish = FINISHES[finish]
                left -= 1
            elif kind == FAILED:
                raise RuntimeError(f"the job failed: {payload[2:].decode(errors='replace')}")
        return answers

    def score(self, requests, answers):
        """A dict for each answer: tokens, near, far, spells, ratios (flatter, flattest, sharper, far)."""
        pairs = [{"request": request, "answer": answer} for request, answer in zip(requests, answers)]
        first = self._submit(SCORE, pairs)
        scores = [None] * len(pairs)
        while None in scores:
            kind, job, payload = self._frame()
            if kind == FAILED:
                raise RuntimeError(f"the score failed: {payload[2:].decode(errors='replace')}")
            if kind == SCORED:
                tokens, near, far, spells, *ratios = SCORE_PAYLOAD.unpack(payload)
                scores[job - first] = {"tokens": tokens, "near": near, "far": far, "spells": spells, "ratios": ratios}
        return scores
