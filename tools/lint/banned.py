#!/usr/bin/env python3
"""Gate: no call of a function that src/base/banned.h bans, in no C or C++ file.

The compiler refuses them in C already; this covers C++ and code that this configuration does not compile. It also sees
a source that undoes the ban.
"""

import re
import sys

import source

BANNED_H = source.ROOT / "src" / "base" / "banned.h"


def check_file(path, names):
    text = source.blank(path.read_text())
    call = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(|#\s*undef\s+(" + "|".join(names) + r")\b")
    for match in call.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{source.relative(path)}:{line}: {match[1] or match[2]} is banned (src/base/banned.h)"


def main():
    names = re.findall(r"^#undef (\w+)", BANNED_H.read_text(), re.MULTILINE)
    if not names:
        return source.report([f"{source.relative(BANNED_H)}: no banned names found"])
    paths = [path for path in source.files(source.C_SUFFIXES) if path != BANNED_H]
    return source.report([problem for path in paths for problem in check_file(path, names)])


if __name__ == "__main__":
    sys.exit(main())
