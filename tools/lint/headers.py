#!/usr/bin/env python3
"""Gate: header = file = noun. A header has a source of its name, which defines what the header declares.

A header that declares no function needs no source. What a header declares and no source defines is an error; of all
functions that headers declare, at most 5% may be defined in a source of another name. --list names those. The core is
exempt, except from the second rule: it is one machine, in core.h, core_internal.h and device.h for all its sources.
"""

import re
import sys

import source

ELSEWHERE_MOST_PERCENT = 5
EXEMPT = "core/"
NO_NAMES = {"__attribute__", "sizeof", "void", "int", "char", "_Static_assert", "static_assert", "_Alignas", "decltype"}

_PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_EXTERN_C = re.compile(r"\bextern\s*\{")
_NAME = re.compile(r"\b([a-z_]\w*)\s*\((?!\s*\*)")


def outer(text):
    """(chunk, ends in a body) of what stands outside all braces, one declaration or definition at a time."""
    text = _EXTERN_C.sub(" ", _PREPROCESSOR.sub("", source.blank(text)))
    depth, chunk = 0, []
    for char in text:
        if char == "{":
            if depth == 0:
                yield "".join(chunk), True
                chunk = []
            depth += 1
        elif char == "}":
            depth = max(depth - 1, 0)
        elif depth == 0 and char == ";":
            yield "".join(chunk), False
            chunk = []
        elif depth == 0:
            chunk.append(char)


def function_of(chunk):
    """The name of the function that a chunk declares or begins to define, or None."""
    if re.search(r"\btypedef\b|=", chunk):
        return None
    for match in _NAME.finditer(chunk):
        if match[1] not in NO_NAMES:
            return match[1]
    return None


def declared(path):
    for chunk, body in outer(path.read_text()):
        name = function_of(chunk)
        if name and not body and not re.search(r"\bstatic\b", chunk):
            yield name


def defined(path):
    for chunk, body in outer(path.read_text()):
        name = function_of(chunk)
        if name and body and not re.search(r"\bstatic\b", chunk):
            yield name


def unit(path):
    return path.relative_to(source.ROOT / "src").as_posix().rsplit(".", 1)[0]


class Survey:
    def __init__(self):
        self.homes = {}  # function -> the units that define it
        sources = list(source.files((".c", ".cpp"), ("src",)))
        for path in sources:
            for name in defined(path):
                self.homes.setdefault(name, set()).add(unit(path))
        self.sources = {unit(path) for path in sources}
        self.problems, self.elsewhere = [], []
        self.total = 0
        for path in source.files((".h",), ("src",)):
            self.look_at(path)

    def look_at(self, path):
        names = list(declared(path))
        mine = unit(path)
        if names and mine not in self.sources and not mine.startswith(EXEMPT):
            self.problems.append(f"{source.relative(path)}: declares functions, but there is no source of this name")
        for name in names:
            homes = self.homes.get(name)
            if not homes:
                self.problems.append(f"{source.relative(path)}: {name} is declared here and defined nowhere")
            elif not mine.startswith(EXEMPT):
                self.total += 1
                if mine not in homes:
                    self.elsewhere.append(f"{source.relative(path)}: {name} is defined in {' '.join(sorted(homes))}")

    def percent(self):
        return 100.0 * len(self.elsewhere) / self.total if self.total else 0.0


def main():
    survey = Survey()
    share = f"{len(survey.elsewhere)} of {survey.total} functions ({survey.percent():.1f}%)"
    print(f"headers: {share} are defined in a source of another name")
    if sys.argv[1:] == ["--list"]:
        print("\n".join(survey.elsewhere))
    if survey.percent() > ELSEWHERE_MOST_PERCENT:
        survey.problems.append(f"more than {ELSEWHERE_MOST_PERCENT}%; tools/lint/headers.py --list names them")
    return source.report(survey.problems)


if __name__ == "__main__":
    sys.exit(main())
