#!/usr/bin/env python3
"""Measures what audits find of answers of real engines (docs/AUDITS.md, Figures). Each answer is made by one engine,
as a device makes it, and scored by another, without a network; one line of JSON an answer is appended to OUT, so that
it can be stopped and started again at any time.

  tools/audit/measure.py --program build/nataris-llama --models FOLDER --out OUT MODEL ANSWERS

MODEL is the claimed model: smollm2, 0.5b or 1.5b; FOLDER has the catalog's files, and, made by this where they are
missing, a coarser quantisation of each. All cells (tools/audit/cells.py) get some answers, then some more, up to
ANSWERS."""

import argparse
import json
import pathlib
import subprocess
import sys

import cells
from engine import Engine

ROOT = pathlib.Path(__file__).resolve().parents[2]
LLAMA = ROOT / ".deps/llama"
CLAIMED = {"smollm2": cells.SMOL, "0.5b": cells.SMALL, "1.5b": cells.LARGE}
SLOTS, CONTEXT = 8, 3072
SCORER_SLOTS = 2


class Bench:
    """The engines that are there, each model as a device and as a scorer."""

    def __init__(self, options):
        self.options, self.engines = options, {}
        self.tool = pathlib.Path(options.models) / "model_tool"

    def build_tool(self):
        if not self.tool.exists():
            subprocess.run(["cc", "-O1", ROOT / "tools/audit/model_tool.c", "-o", self.tool, f"-I{LLAMA}/include",
                            f"-I{LLAMA}/ggml/include", f"-L{LLAMA}/lib", f"-Wl,-rpath,{LLAMA}/lib",
                            "-l:libllama.v0.5.0.so", "-l:libggml.v0.5.0.so", "-l:libggml-base.so"], check=True)
        return self.tool

    def path(self, model):
        path = pathlib.Path(self.options.models) / f"{model}.gguf"
        if model == cells.DEMO:
            return ROOT / f"models/{model}.gguf"
        if not path.exists() and model.endswith("-q3"):
            source = next(one for one in CLAIMED.values() if one.rsplit("-", 1)[0].startswith(model[:-3]))
            subprocess.run([self.build_tool(), "quantise", self.path(source), path], check=True, capture_output=True)
        return path

    def engine(self, role, model):
        key = (role, model)
        if key not in self.engines:
            slots = SLOTS if role == "device" else SCORER_SLOTS
            context = CONTEXT if model != cells.DEMO else 1024
            path = str(self.path(model))
            self.engines[key] = Engine(self.options.program, path, slots, context, self.options.threads)
        return self.engines[key]

    def retokenise(self, model, text):
        command = [self.build_tool(), "tokens", self.path(model)]
        run = subprocess.run(command, input=text, capture_output=True, check=True)
        return [int(line) for line in run.stdout.split()]


def tampered(bench, cell, requests, answers):
    """What the device tells in place of what its model said."""
    if cell.tamper == "replayed":  # the answers to other prompts
        return answers[1:] + answers[:1]
    for request, answer in zip(requests, answers):
        if cell.tamper == "padded":  # the same once more
            answer.ids, answer.text = answer.ids * 2, answer.text * 2
        elif cell.tamper == "cut":  # as if that were all
            answer.finish = "stop"
        elif cell.tamper == "retokenised":
            answer.ids = bench.retokenise(cell.claimed, answer.text)
            answer.finish = "length" if len(answer.ids) == request["max_tokens"] else "stop"
    return answers


def contradicts(request, answer, score):
    """As src/gateway/audit_capture.c and audit.c have it."""
    early = answer.finish == "length" and len(answer.ids) + cells.CHARACTER_TOKENS_MAX < request["max_tokens"]
    return early and "continue_text" not in request or len(answer.ids) > request["max_tokens"] or not score["spells"]


def continued(engine, requests):
    """Requests for the rest of answers that another device has begun; those that it ended are left out."""
    halves = [{**one, "max_tokens": one["max_tokens"] // 2} for one in requests]
    for request, answer in zip(halves, engine.generate(halves)):
        if answer.finish == "length":
            yield {**request, "continue_text": answer.text.decode()}


def measure(bench, cell, first, count):
    """Lines for the answers first, first + 1, ... of one round."""
    device, scorer = bench.engine("device", cell.served), bench.engine("scorer", cell.claimed)
    requests = [cell.request(cells.prompt(cell, index)) for index in range(first, first + count)]
    if cell.shape == "continued":
        requests = list(continued(scorer, requests))
    for start in range(0, len(requests), cell.width):
        asked = requests[start:start + cell.width]
        made = [cell.made(one) for one in asked]
        used = device.cpu_s()
        answers = device.generate(made)
        generating = (device.cpu_s() - used) / len(asked)
        answers = tampered(bench, cell, asked, answers)
        used = scorer.cpu_s()
        scores = scorer.score([{**one, "scope": "score"} for one in asked], [one.wire() for one in answers])
        scoring = (scorer.cpu_s() - used) / len(asked)
        for offset, (request, answer, score) in enumerate(zip(asked, answers, scores)):
            yield {"cell": cell.name, "claimed": cell.claimed, "honest": cell.honest, "index": first + start + offset,
                   "tokens": score["tokens"], "near": score["near"], "far": score["far"],
                   "contradicts": contradicts(request, answer, score), "ratios": score["ratios"],
                   "prompt_tokens": answer.prompt, "cached_tokens": answer.cached, "answer_tokens": len(answer.ids),
                   "generate_cpu_s": round(generating, 4), "score_cpu_s": round(scoring, 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--impostors", type=int, default=24, help="answers of each cell that is not honest")
    parser.add_argument("--only", default="", help="cells whose names have this in them")
    parser.add_argument("model", choices=CLAIMED)
    parser.add_argument("answers", type=int)
    options = parser.parse_args()
    bench, claimed = Bench(options), CLAIMED[options.model]
    count = cells.ANSWERS[claimed]
    out = pathlib.Path(options.out)
    done = {}
    for line in out.read_text().splitlines() if out.exists() else []:
        key = json.loads(line)["cell"]
        done[key] = max(done.get(key, 0), json.loads(line)["index"] + 1)
    with out.open("a", encoding="utf-8") as file:
        for first in range(0, options.answers, count):
            for cell in cells.cells(claimed):
                if options.only not in cell.name or done.get(cell.name, 0) > first:
                    continue
                if not cell.honest and first >= options.impostors or cell.shape == "long" and first > 0:
                    continue
                answers = count if cell.shape != "long" else cells.LONG_ANSWERS[claimed]
                for line in measure(bench, cell, first, answers):
                    file.write(json.dumps(line) + "\n")
                    file.flush()


if __name__ == "__main__":
    sys.exit(main())
