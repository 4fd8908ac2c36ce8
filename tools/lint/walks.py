#!/usr/bin/env python3
"""Gate: the walks of docs/REQUEST.md name files that are there, and functions that these files define.

In text, `room/file.c` is a file below src/ (or below the root), and each `function()` after it is one of that file's.
"""

import re
import sys

import source

PAGE = source.ROOT / "docs" / "REQUEST.md"
NAME = re.compile(r"`(?P<file>[\w/]+\.(?:c|h|cpp))`|`(?P<function>\w+)\(\)`")


def find(name):
    for top in (source.ROOT / "src", source.ROOT):
        if (top / name).is_file():
            return top / name
    return None


def defines(text, function):
    """A definition begins in the first column and ends its line with the body's brace."""
    return re.search(rf"^[A-Za-z_][^;{{}}#]*\b{function}\([^;{{}}]*\)\s*{{", text, re.MULTILINE) is not None


def problems():
    file, text = None, ""
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        where = f"{source.relative(PAGE)}:{number}"
        for match in NAME.finditer(line):
            if match["file"]:
                file = match["file"]
                path = find(file)
                text = path.read_text() if path else ""
                if path is None:
                    yield f"{where}: there is no {file}"
            elif file is None:
                yield f"{where}: {match['function']}() is of no file"
            elif not defines(text, match["function"]):
                yield f"{where}: {file} does not define {match['function']}()"


if __name__ == "__main__":
    sys.exit(source.report(list(problems())))
