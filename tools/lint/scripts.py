#!/usr/bin/env python3
"""Gate: shell and Python scripts parse."""

import ast
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


def main():
    problems = []
    for path in [*source.files((".sh",)), *source.scripts("sh")]:
        problems += check_shell(path)
    for path in [*source.files((".py",)), *source.scripts("python")]:
        problems += check_python(path)
    return source.report(problems)


if __name__ == "__main__":
    sys.exit(main())
