#!/usr/bin/env python3
"""Gate: shell and Python scripts parse, and the tests in JavaScript run on the node that Debian 12 has."""

import ast
import re
import subprocess
import sys

import source


def check_shell(path):
    run = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    return run.stderr.strip().splitlines()


def check_python(path):
    try:
        ast.parse(path.read_text(), str(path))
    except SyntaxError as error:
        return [f"{source.relative(path)}:{error.lineno}: {error.msg}"]
    return []


# What node 18 has not: Debian 12 has that one, while a developer's own is often newer.
NEWER_NODE = re.compile(
    r"\.(toSorted|toReversed|toSpliced)\s*\(|\b(Object|Map)\.groupBy\b|\bArray\.fromAsync\b"
    r"|\bPromise\.(withResolvers|try)\b|\bimport\.meta\.(dirname|filename)\b|\bnew WebSocket\("
    r"|\b(isWellFormed|toWellFormed)\s*\("
)


def check_node(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        for match in NEWER_NODE.finditer(line):
            yield f"{source.relative(path)}:{number}: {match[0]} is newer than node 18, which Debian 12 has"


def main():
    problems = []
    for path in [*source.files((".sh",)), *source.scripts("sh")]:
        problems += check_shell(path)
    for path in [*source.files((".py",)), *source.scripts("python")]:
        problems += check_python(path)
    for path in source.files((".mjs",)):
        problems += check_node(path)
    return source.report(problems)


if __name__ == "__main__":
    sys.exit(main())
