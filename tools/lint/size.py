#!/usr/bin/env python3
"""Gate: files of 500 lines, functions of 70 lines, cyclomatic complexity 15, at most. There is no list of exceptions.

Functions are measured by pmccabe in its modified count, in which a switch counts once: a dispatch over an enum is not
complex because the enum is long.
"""

import subprocess
import sys

import source

FILE_LINES = 500
FUNCTION_LINES = 70
COMPLEXITY = 15
MEASURED = source.C_SUFFIXES + (".py", ".sh", ".mjs", ".js", ".cmake", ".sql")


def long_files():
    for path in list(source.files(MEASURED)) + list(source.scripts("sh")):
        with path.open("rb") as handle:
            lines = sum(1 for _ in handle)
        if lines > FILE_LINES:
            yield f"{source.relative(path)}: {lines} lines, more than {FILE_LINES}"


def big_functions():
    paths = [source.relative(path) for path in source.files(source.C_SUFFIXES)]
    if not paths:
        return
    run = subprocess.run(["pmccabe", *paths], cwd=source.ROOT, capture_output=True, text=True, check=False)
    if run.stderr or run.returncode:
        yield f"pmccabe: {run.stderr.strip() or run.returncode}"
    for line in run.stdout.splitlines():
        complexity, _, _, _, lines, where = line.split("\t")
        if int(lines) > FUNCTION_LINES:
            yield f"{where}: {lines} lines, more than {FUNCTION_LINES}"
        if int(complexity) > COMPLEXITY:
            yield f"{where}: complexity {complexity}, more than {COMPLEXITY}"


if __name__ == "__main__":
    sys.exit(source.report([*long_files(), *big_functions()]))
