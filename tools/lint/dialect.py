#!/usr/bin/env python3
"""Gate: what STYLE.md says and a machine can keep.

- sizeof(x), with parentheses.
- No cast from `void *` in C: neither of what was allocated nor of a callback's context.
- A struct or enum has no typedef.
- A header's guard is its path: src/core/job.h has NATARIS_CORE_JOB_H.
- No TODO, FIXME or XXX: what is to be done stands in an issue.

--fix FOLDER... rewrites the first two and the guards in place.
"""

import re
import sys

import source

ALLOCATING = r"(?:mem_(?:alloc|calloc|realloc)|arena_alloc(?:_array)?|malloc|calloc|realloc)\("
CAST = r"\((?:const )?(?:struct |enum |unsigned )?\w+ \*+(?:const)?\)\s*"

LITERAL = r'"(?:\\.|[^"\\\n])*"'
OPERAND = r"\*?[A-Za-z_]\w*(?:(?:->|\.)\w+|\[[^\]]*\])*"
SIZEOF = re.compile(rf"\bsizeof ((?:{OPERAND}|{LITERAL})(?: {LITERAL})*)")
ALLOCATED = re.compile(CAST + rf"(?={ALLOCATING})")
TYPEDEF = re.compile(r"\btypedef\s+(struct|enum|union)\b")
LATER = re.compile(r"\b(TODO|FIXME|XXX)\b")
GUARD = re.compile(r"^#ifndef (NATARIS_\w+_H)\n#define (\w+)\n", re.MULTILINE)


def bodies(text):
    """(start, end, names of its `void *` parameters) of each function that has some."""
    for match in re.finditer(r"\(([^()]*\bvoid \*\w+[^()]*)\)\s*\{", text):
        end, depth = match.end(), 1
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield match.end(), end, re.findall(r"\bvoid \*(\w+)\b(?!\s*\[)", match[1])


def parameter_casts(text):
    for start, end, names in bodies(text):
        for name in names:
            # *(int *)a and ((struct x *)a)->y need theirs.
            yield from re.compile(rf"(?<!\*)(?<!\(){CAST}(?={name}\b(?!->|\.|\[| [-+] ))").finditer(text, start, end)
            yield from re.compile(rf"(?<=\w\(){CAST}(?={name}\b(?!->|\.|\[| [-+] ))").finditer(text, start, end)


def guard_of(path):
    name = source.relative(path).removeprefix("src/")
    return "NATARIS_" + re.sub(r"\W", "_", name).upper()


def casts(path, text):
    return [*ALLOCATED.finditer(text), *parameter_casts(text)] if path.suffix == ".c" else []


def sizeofs(whole, text):
    """Those of the code, not of a comment; the operand may be a literal, so they are sought in the whole text."""
    return [match for match in SIZEOF.finditer(whole) if text.startswith("sizeof", match.start())]


def findings(path):
    """(offset, what is wrong)"""
    whole = path.read_text()
    text = source.blank(whole)
    for match in sizeofs(whole, text):
        yield match.start(), f"write sizeof({match[1]})"
    for match in casts(path, text):
        yield match.start(), f"no cast from void *: {match[0].strip()}"
    for match in TYPEDEF.finditer(text):
        yield match.start(), f"no typedef of a {match[1]}"
    for match in LATER.finditer(whole):
        yield match.start(), f"{match[1]}: do it, or write an issue"
    if path.suffix == ".h":
        guard = GUARD.search(whole)
        if not guard or guard[1] != guard_of(path) or guard[2] != guard_of(path):
            yield (guard.start() if guard else 0), f"the guard should be {guard_of(path)}"


def fix(path):
    whole = path.read_text()
    text = source.blank(whole)
    edits = [(match.start(), match.end(), f"sizeof({match[1]})") for match in sizeofs(whole, text)]
    edits += [(match.start(), match.end(), "") for match in casts(path, text)]
    fixed = whole
    for start, end, new in sorted(edits, reverse=True):
        fixed = fixed[:start] + new + fixed[end:]
    guard = GUARD.search(fixed) if path.suffix == ".h" else None
    if guard:
        fixed = re.sub(rf"\b{guard[1]}\b", guard_of(path), fixed)
    if fixed != whole:
        path.write_text(fixed)


def main():
    paths = [path for path in source.files(source.C_SUFFIXES) if not source.relative(path).startswith("tools/")]
    if sys.argv[1:2] == ["--fix"]:
        for path in paths:
            if source.relative(path).startswith(tuple(sys.argv[2:])):
                fix(path)
        return 0
    problems = []
    for path in paths:
        text = path.read_text()
        for offset, what in sorted(findings(path)):
            problems.append(f"{source.relative(path)}:{text.count(chr(10), 0, offset) + 1}: {what}")
    return source.report(problems)


if __name__ == "__main__":
    sys.exit(main())
