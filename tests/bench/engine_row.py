"""The row of `make bench` on real text: tokens/s through client, gateway, provider and llama child, against the bare
decoding loop of `nataris-llama --bench-bare`. Both read the same prompt, with the same seeds, and so make the same
tokens; a request with a seed computes its whole prompt, so neither side has an advantage from a cache."""

import json
import os
import pathlib
import statistics
import subprocess
import threading
import time

import harness
from harness import BenchError, Gateway, cpu_seconds, say, wait_for

CHAT_MODEL = "smollm2-135m-instruct-q4_1"
BUILT_IN_MODEL = "nataris-demo-2m"
AIM = 0.97
# Tokens of each of 1, 4 or 8 parallel requests: long enough that the reading of the prompt is a small part.
TOKENS = {1: 160, 4: 64, 8: 48}
ROUNDS = {CHAT_MODEL: 1, BUILT_IN_MODEL: 16}  # requests one after another; the built-in model is some 40 times faster
FETCH_SECONDS = 240

SYSTEM = "You tell stories."
QUESTION = "Tell a very long story of the sea."
# What the chat templates of both models make of these two.
PROMPT = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{QUESTION}<|im_end|>\n<|im_start|>assistant\n"


def model_folder():
    """As the provider finds it."""
    places = {"NATARIS_MODELS": "", "XDG_CACHE_HOME": "nataris/models", "HOME": ".cache/nataris/models"}
    for name, below in places.items():
        if os.environ.get(name):
            return pathlib.Path(os.environ[name]) / below
    raise BenchError("no folder for models: set HOME")


def open_provider(tools, gateway):
    """Starts a provider of the default chat model, or of the built-in one; (model, path of its file)."""
    folder = model_folder()
    path = folder / f"{CHAT_MODEL}.gguf"
    fetched = path.exists()
    if not fetched:
        say(f"  {CHAT_MODEL} is not in {folder}: fetching it (98 MB)")
    log = gateway.add_provider("--model", CHAT_MODEL, "--models", str(folder))
    try:
        gateway.wait_connected([log], CHAT_MODEL, 60 if fetched else FETCH_SECONDS)
        return CHAT_MODEL, path
    except BenchError as error:
        say(f"  warning: {error}; measuring with {BUILT_IN_MODEL} instead\n{harness.tail(log)}")
    log = gateway.add_provider("--model", BUILT_IN_MODEL)
    gateway.wait_connected([log], BUILT_IN_MODEL)
    return BUILT_IN_MODEL, harness.ROOT / "models" / f"{BUILT_IN_MODEL}-q8_0.gguf"


def bare_loop(tools, path, parallel, tokens, rounds):
    argv = [tools.llama, "--bench-bare", path, parallel, tokens, rounds, PROMPT]
    with harness.running(argv, tools.folder / "bare.log", stdout=subprocess.PIPE) as run:
        output, _ = run.communicate(timeout=120)
        if run.returncode != 0:
            raise BenchError(f"the bare loop failed:\n{harness.tail(tools.folder / 'bare.log')}")
    return json.loads(output)


def ask_stream(gateway, model, tokens, seed):
    """The completion tokens of one streamed answer."""
    body = {
        "model": model,
        "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}],
        "max_tokens": tokens,
        "temperature": 1.0,
        "top_p": 0.9,
        "top_k": 40,
        "seed": seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    status, answer = harness.ask(gateway.address, gateway.request(body), 120)
    events = [line[6:] for line in answer.split(b"\n") if line.startswith(b"data: {")]
    if status != 200 or not events or b"data: [DONE]" not in answer:
        raise BenchError(f"a stream got {status}: {answer[-500:]!r}")
    return json.loads(events[-1])["usage"]["completion_tokens"]


def llama_child(gateway):
    """Of the provider started last."""
    return wait_for("the llama child", 5, lambda: harness.child_of(gateway.providers[-1].pid))


def whole_stack(gateway, model, parallel, tokens, rounds):
    """As many streams at once, with the seeds of the bare loop."""
    child = llama_child(gateway)
    counts, failures = [], []

    def client(number):
        try:
            for seed in range(number + 1, parallel * rounds + 1, parallel):
                counts.append(ask_stream(gateway, model, tokens, seed))
        except (BenchError, OSError, ValueError, KeyError) as error:
            failures.append(error)

    clients = [threading.Thread(target=client, args=(number,), daemon=True) for number in range(parallel)]
    started, cpu_before = time.monotonic(), cpu_seconds(child)
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    seconds = time.monotonic() - started
    result = {"seconds": seconds, "cpu_seconds": cpu_seconds(child) - cpu_before, "tokens": sum(counts)}
    if failures:
        raise BenchError(f"tokens/s through the gateway: {failures[0]}")
    return {**result, "tokens_per_second": result["tokens"] / seconds}


def compare(tools, gateway, model, path, parallel, quick):
    """Both in turns, each first in every other one: what slows the machine for a while slows both."""
    tokens, rounds = TOKENS[parallel] // (4 if quick else 1), ROUNDS[model]
    bare, stack = [], []
    for turn in range(2 if quick else 4):
        order = (False, True) if turn % 2 == 0 else (True, False)
        for through_stack in order:
            if through_stack:
                stack.append(whole_stack(gateway, model, parallel, tokens, rounds))
            else:
                bare.append(bare_loop(tools, path, parallel, tokens, rounds))
    ratios = [mine["tokens_per_second"] / peer["tokens_per_second"] for mine, peer in zip(stack, bare)]
    say(f"  {parallel} parallel, at most {tokens} tokens each: ratios {', '.join(f'{ratio:.3f}' for ratio in ratios)}")
    return {"parallel": parallel, "max_tokens": tokens, "ratios": ratios, "stack": stack, "bare": bare}


def make_row(sample, model):
    speeds, costs = [], []
    for side in ("stack", "bare"):
        speeds.append(statistics.median(run["tokens_per_second"] for run in sample[side]))
        costs.append(sum(run["cpu_seconds"] for run in sample[side]) / sum(run["tokens"] for run in sample[side]))
    value = statistics.median(sample["ratios"])
    note = f"{speeds[0]:.1f} against {speeds[1]:.1f} tokens/s of {model}"
    note += f"; {costs[1] / costs[0]:.3f} by the engine's CPU time"
    name = f"provider tokens/s / bare engine loop, {sample['parallel']} parallel"
    met = value >= AIM
    return {"name": name, "value": value, "unit": "", "aim": AIM, "at_least": True, "met": met, "note": note}


def tokens_per_second(tools, quick):
    """Row 6."""
    with Gateway(tools) as gateway:
        model, path = open_provider(tools, gateway)
        ask_stream(gateway, model, 8, 1)  # warm up
        pids = [gateway.pid, gateway.providers[-1].pid, llama_child(gateway)]
        with harness.undisturbed(tools, pids):
            samples = [compare(tools, gateway, model, path, parallel, quick) for parallel in TOKENS]
    return [make_row(sample, model) for sample in samples], samples
