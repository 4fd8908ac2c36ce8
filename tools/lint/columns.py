#!/usr/bin/env python3
"""Gate: no line of more than 120 columns in C, Python, shell and CMake files.

clang-format breaks code at 120 columns but leaves comments as they are. --fix breaks long comments of C: the paragraph
is filled anew from the long line on; a long one behind code goes above it (format.sh --fix then puts the rest in line).
"""

import re
import sys

import source

COLUMNS = 120
SUFFIXES = source.C_SUFFIXES + (".py", ".sh", ".cmake")

# A line that does not go on with the sentence of the line before: a list, an example, an empty line, the end.
STANDS_ALONE = re.compile(r"\s*(\*|//)(\s*$|/|\s+([-*+]|\d+[.)]) |\s{3,}\S)")

TABLE_ROW = re.compile(r"^\s*\*.*\S {3,}\S")


def long_lines(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line.expandtabs(8)) > COLUMNS:
            yield number, line


def fill(words, first, further, end):
    """The words in lines that begin with `first`, then `further`; the last word takes `end` with it."""
    if end:
        words = [*words[:-1], f"{words[-1]} {end}"]
    lines, line = [], first
    for word in words:
        if len(line) + 1 + len(word) > COLUMNS and line != first:
            lines.append(line)
            line, first = further, further
        line += (" " if not line.endswith(" ") else "") + word
    return [*lines, line]


def paragraph(lines, at):
    """How many lines, from the long one on, are one paragraph of one comment."""
    count = 1
    while "*/" not in lines[at + count - 1] and at + count < len(lines) and not STANDS_ALONE.match(lines[at + count]):
        count += 1
    return count


def fix_own(lines, at):
    """A comment that stands alone: new lines in place of `count` old ones."""
    match = re.match(r"(\s*)(/\*|\*|//) ?(.*)$", lines[at])
    indent, mark = match[1], match[2]
    if mark == "//":
        return 1, fill(match[3].split(), indent + "// ", indent + "// ", "")
    count = paragraph(lines, at)
    text = [match[3]] + [re.sub(r"^\s*\* ?", "", line) for line in lines[at + 1 : at + count]]
    joined = " ".join(text)
    end = "*/" if joined.rstrip().endswith("*/") else ""
    words = joined.rstrip().removesuffix("*/").split()
    further = indent + (" * " if mark == "/*" else "* ")
    return count, fill(words, indent + mark + " ", further, end)


def fix_trailing(line):
    match = re.match(r"(\s*)(.*?\S)\s*(/\*.*\*/|//.*)$", line)
    if not match or '"' in match[3]:
        return [line]
    text = match[3].removeprefix("/*").removesuffix("*/").removeprefix("//").split()
    return [*fill(text, match[1] + "/* ", match[1] + " * ", "*/"), match[1] + match[2]]


def fix(path):
    lines, at = path.read_text().splitlines(), 0
    while at < len(lines):
        if len(lines[at]) > COLUMNS and not TABLE_ROW.search(lines[at]):
            if re.match(r"\s*(/\*|\*|//)", lines[at]):
                count, new = fix_own(lines, at)
            else:
                count, new = 1, fix_trailing(lines[at])
            lines[at : at + count] = new
            at += len(new)
        else:
            at += 1
    path.write_text("\n".join(lines) + "\n")


def main():
    if sys.argv[1:2] == ["--fix"]:
        tops = sys.argv[2:] or source.TOP_FOLDERS
        for path in source.files(source.C_SUFFIXES, tops):
            if any(long_lines(path)):
                fix(path)
        return 0
    problems = []
    for path in [*source.files(SUFFIXES), *source.scripts("sh")]:
        for number, line in long_lines(path):
            problems.append(f"{source.relative(path)}:{number}: {len(line)} columns, more than {COLUMNS}")
    return source.report(problems)


if __name__ == "__main__":
    sys.exit(main())
