#!/usr/bin/env python3
"""Gate: where a program or library of ours looks for its libraries: nowhere but relative to itself ($ORIGIN).

An empty entry in RUNPATH or RPATH means the current folder, and an absolute one some folder of the machine that built
it: whoever can write there would have his code run. Looked at is what is built in build*/ and lies in .deps/llama/lib;
or what is in FOLDER... when some are given, such as an installed tree.
"""

import os
import re
import subprocess
import sys
import pathlib

import source

PATH = re.compile(r"\((RUNPATH|RPATH)\).*\[(.*)\]")


def is_elf(path):
    with path.open("rb") as handle:
        return handle.read(4) == b"\x7fELF"


def built():
    for folder in sorted(source.ROOT.glob("build*")):
        for path in [*folder.iterdir(), *folder.glob("installed/*")] if folder.is_dir() else ():
            if path.is_file() and os.access(path, os.X_OK):
                yield path
    yield from sorted((source.ROOT / ".deps" / "llama" / "lib").glob("*.so"))


def inside(folders):
    for folder in folders:
        yield from sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def entry_problem(entry):
    if entry == "":
        return "has an empty entry, which is the current folder"
    return None if re.fullmatch(r"\$ORIGIN(/.*)?", entry) else f"looks in {entry}, not beside itself"


def check_file(path):
    run = subprocess.run(["readelf", "-d", str(path)], capture_output=True, text=True, check=False)
    for kind, value in PATH.findall(run.stdout):
        if ":" in value.strip(":"):
            yield f"{path}: {kind} has several entries"
        for entry in value.split(":"):
            problem = entry_problem(entry)
            if problem:
                yield f"{path}: {kind} {problem}"


def main():
    paths = [path for path in (inside(sys.argv[1:]) if sys.argv[1:] else built()) if is_elf(path)]
    return source.report([problem for path in paths for problem in check_file(path)])


if __name__ == "__main__":
    sys.exit(main())
