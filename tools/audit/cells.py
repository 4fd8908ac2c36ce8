"""What is measured: cells, each a way in which answers are made, and the prompts that they are made to."""

import random

SMOL = "smollm2-135m-instruct-q4_1"
SMALL, LARGE = "qwen2.5-coder-0.5b-instruct-q4_k_m", "qwen2.5-coder-1.5b-instruct-q4_k_m"
DEMO = "nataris-demo-2m-q8_0"
SMOL_Q3 = "smollm2-135m-instruct-q3"
SMALL_Q3, LARGE_Q3 = "qwen2.5-coder-0.5b-instruct-q3", "qwen2.5-coder-1.5b-instruct-q3"
SHORT = {SMOL: "SmolLM2", SMALL: "0.5B", LARGE: "1.5B", DEMO: "built-in", SMOL_Q3: "SmolLM2 Q3", SMALL_Q3: "0.5B Q3",
         LARGE_Q3: "1.5B Q3"}
REPEAT_PENALTY = {SMOL: 1.1}  # the catalog's for small models
MAX_TOKENS = 48
CUT_TOKENS = 20
CHARACTER_TOKENS_MAX = 3  # src/gateway/audit_capture.c
ANSWERS = {SMOL: 4, SMALL: 4, LARGE: 4}  # of each cell in a round


class Cell:
    """served: whose file makes the answers; claimed: which model is asked, and scores. `sampled` is what the device
    does in place of what it was asked. `shape` of the prompts: "" plain, "cached" a long common beginning in one scope,
    "long" some thousand tokens, "continued" the second half of an answer, "scripts" in many of them, so that characters
    are several tokens. `tamper`: what is done to the answer."""

    def __init__(self, served, claimed, temperature, width=1, shape="", sampled=None, tamper="", asked=None):
        self.served, self.claimed, self.temperature, self.width = served, claimed, temperature, width
        self.shape, self.sampled, self.tamper, self.asked = shape, sampled or {}, tamper, asked or {}

    @property
    def honest(self):
        return self.served == self.claimed and not self.sampled and not self.tamper

    @property
    def name(self):
        changes = [f"{key.replace('_', ' ')} {value:g}" for key, value in self.sampled.items()]
        asked = [f"{key.replace('_', ' ')} {value:g} asked" for key, value in self.asked.items()]
        width = [f"width {self.width}"] if self.width > 1 and self.honest else []
        made = [f"made with {change}" for change in changes]
        more = [*width, *filter(None, [self.shape, self.tamper]), *asked, *made]
        return ", ".join([f"{SHORT[self.served]} as {SHORT[self.claimed]} at {self.temperature:g}", *more])

    def made(self, request):
        """What the device asks of its engine for it."""
        tokens = {"padded": request["max_tokens"] // 2, "cut": CUT_TOKENS}.get(self.tamper, request["max_tokens"])
        return {**request, "max_tokens": tokens, **self.sampled}

    def request(self, prompt):
        return {"model": self.claimed, "max_tokens": MAX_TOKENS, "max_tokens_given": True,
                "temperature": self.temperature,
                "top_p": 0.9, "top_k": 40, "repeat_penalty": REPEAT_PENALTY.get(self.claimed, 1.0), "stream": True,
                **prompt, **self.asked}


def honest_cells(model):
    yield Cell(model, model, 0.7, {SMOL: 1, SMALL: 1, LARGE: 4}[model])
    yield Cell(model, model, 0, 4)
    yield Cell(model, model, 1.2, 4)
    yield Cell(model, model, 0.7, 8)
    yield Cell(model, model, 0.3, 4)
    yield Cell(model, model, 0.7, shape="cached")
    yield Cell(model, model, 0.7, {SMOL: 4, SMALL: 4, LARGE: 1}[model])
    yield Cell(model, model, 0.7, shape="continued")
    yield Cell(model, model, 1, 4, asked={"top_p": 1, "top_k": 0})
    yield Cell(model, model, 0, 1)
    if model == SMOL:
        yield Cell(model, model, 0, 8)
        yield Cell(model, model, 1.2, 1)
        yield Cell(model, model, 0.7, 4, shape="scripts")
        yield Cell(model, model, 2, 4, shape="scripts", asked={"top_p": 1, "top_k": 0})
        yield Cell(model, model, 0.7, 4, asked={"top_k": 1})
        yield Cell(model, model, 0.7, 4, asked={"top_p": 0.01})
        yield Cell(model, model, 0.7, 4, asked={"repeat_penalty": 1.3, "frequency_penalty": 0.7})
        yield Cell(model, model, 0.7, 4, asked={"max_tokens": 6})


def other_models(model):
    if model == LARGE:
        for temperature in (0.7, 0, 1.2, 0.3):
            yield Cell(SMALL, LARGE, temperature, 4)
        yield Cell(SMALL, LARGE, 0.7, 4, sampled={"temperature": 0.4})
    if model == SMOL:
        for temperature in (0, 0.7):
            yield Cell(DEMO, SMOL, temperature, 4, tamper="retokenised")
    for temperature in (0, 0.7):
        yield Cell({SMOL: SMOL_Q3, SMALL: SMALL_Q3, LARGE: LARGE_Q3}[model], model, temperature, 4)


def other_answers(model):
    for tamper in ("replayed", "padded", "cut"):
        yield Cell(model, model, 0.7, 4, tamper=tamper)
    for temperature in (0, 1.2, 0.9):
        yield Cell(model, model, 0.7, 4, sampled={"temperature": temperature})
    for temperature in (0.7, 1.2):
        yield Cell(model, model, temperature, 4, sampled={"top_p": 1, "top_k": 0})


def cells(model):
    """Of one claimed model, what matters most first, honest devices and others by turns."""
    honest = list(honest_cells(model))
    others = [*other_models(model), *other_answers(model)]
    for i in range(max(len(honest), len(others))):
        yield from honest[i:i + 1]
        yield from others[i:i + 1]
    yield Cell(model, model, 0.7, shape="long")


TASKS = ["Write a short story about", "Explain to somebody who has never heard of it", "List what matters most about",
         "Argue for and then against", "Write a letter to a colleague about", "What could go wrong with",
         "Write a small Python function that has to do with", "Describe step by step how one would begin with"]
THINGS = ["a lighthouse", "growing tomatoes", "the night train", "a broken clock", "keeping bees", "an old library",
          "learning the violin", "the first snow", "a parser for dates", "repairing a bicycle", "a lost letter",
          "a choir",
          "sorting a list of names", "the price of coffee", "a garden in the desert", "reading maps"]
WHO = ["a retired teacher", "two sisters", "a young doctor", "a student of physics", "my grandmother", "the new mayor"]
VERBS = ["wants to understand", "has to decide about", "remembers", "is afraid of", "keeps dreaming of"]
SCRIPTS = ["เขียนเรื่องสั้นเป็นภาษาไทย", "မြန်မာဘာသာဖြင့် ပုံပြင်တိုလေး ရေးပါ", "اكتب قصة قصيرة", "用中文写一个故事",
           "हिन्दी में एक कहानी लिखो", "日本語で短い話を書いて", "Repeat: 👩‍👩‍👧‍👦🏳️‍🌈😀👩‍👩‍👧‍👦🏳️‍🌈😀👩‍👩‍👧‍👦",
           "Schreibe von Z̴̛̗a̵l̷g̸o, e\u0301, a\u0308 und ß"]
LONG_SENTENCES = {SMOL: 125, SMALL: 125, LARGE: 54}  # about 2,300 tokens, and 1,000
LONG_ANSWERS = {SMOL: 4, SMALL: 4, LARGE: 2}  # each takes as long as twenty others


def question(rng):
    return f"{rng.choice(TASKS)} {rng.choice(THINGS)} and {rng.choice(WHO)}. ({rng.randrange(10000)})"


def pasted(rng, sentences):
    return " ".join(f"There is {rng.choice(WHO)} who {rng.choice(VERBS)} {rng.choice(THINGS)}, "
                    f"{rng.randrange(2, 60)} days ago." for _ in range(sentences))


def prompt(cell, index):
    """The prompt of answer `index` of a cell: members of a request. The same in each run."""
    rng = random.Random(f"{cell.claimed} {cell.name} {index}")
    common = random.Random(f"{cell.claimed} {cell.shape}")
    members = {"seed": rng.randrange(1 << 62)}  # with one nothing of a cache is used
    text = question(rng) if cell.shape != "scripts" else SCRIPTS[index % len(SCRIPTS)]
    if cell.shape == "long":
        text = f"{pasted(common, LONG_SENTENCES[cell.claimed])}\n\n{text}"
    messages = [{"role": "user", "content": text}]
    if cell.shape == "cached":
        messages.insert(0, {"role": "system", "content": pasted(common, 12)})
    elif rng.random() < 0.4:
        messages.insert(0, {"role": "system", "content": "You answer in clear, complete sentences."})
    if cell.shape in ("cached", "long"):
        members = {"scope": f"audit-{cell.shape}"}
    return {**members, "messages": messages}
