#!/usr/bin/env python3
"""How much of src/ the unit, replay and contract tests run: lines of each room and in all.

Builds the preset "coverage", runs the tests with these CTest labels, and reads what gcov has counted. --check fails
when a figure is under its threshold below; --lines ROOM names the lines of a room that no test runs; --report only
reads again what the last run counted.
"""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build-coverage"
LABELS = "unit|replay|contract"
LEAST_PERCENT = {"total": 88, "gateway": 80, "cmd": 70}


def run_tests():
    if subprocess.run([ROOT / "tools" / "build.sh", "coverage"], check=False).returncode:
        sys.exit("coverage: the build failed")
    for path in BUILD.rglob("*.gcda"):
        path.unlink()
    parallel = str(2 * (os.cpu_count() or 1))
    command = ["ctest", "--test-dir", BUILD, "--label-regex", LABELS, "--parallel", parallel, "--output-on-failure"]
    if subprocess.run(command, check=False).returncode:
        sys.exit("coverage: tests failed, so there is no figure")


def counts():
    """Source file -> line -> how often it was run, over all programs that have it."""
    lines = collections.defaultdict(collections.Counter)
    data = [path for path in BUILD.rglob("*.gcno") if "/src/" in path.as_posix()]
    for start in range(0, len(data), 64):
        batch = data[start : start + 64]
        run = subprocess.run(
            ["gcov", "--json-format", "--stdout", *batch], cwd=BUILD, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            check=True,
        )
        for line in run.stdout.splitlines():
            for file in json.loads(line)["files"]:
                path = pathlib.Path(os.path.normpath(BUILD / file["file"]))
                if path.is_relative_to(ROOT / "src"):
                    for entry in file["lines"]:
                        lines[path.relative_to(ROOT / "src").as_posix()][entry["line_number"]] += entry["count"]
    return lines


def room_of(path):
    """The room's name; those inside of another count as that one, too."""
    return path.rsplit("/", 1)[0] if "/" in path else "main"


def by_room(lines):
    rooms = collections.defaultdict(lambda: [0, 0])
    for path, counted in lines.items():
        for name in {room_of(path), path.split("/", 1)[0] if "/" in path else "main", "total"}:
            rooms[name][0] += sum(count > 0 for count in counted.values())
            rooms[name][1] += len(counted)
    return {name: (run, total, 100 * run / total if total else 100.0) for name, (run, total) in rooms.items()}


def print_missing(lines, room):
    for path in sorted(path for path in lines if path.startswith(room + "/")):
        missing = sorted(number for number, count in lines[path].items() if not count)
        if missing:
            print(f"src/{path}: {' '.join(map(str, missing))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail when a figure is under its threshold")
    parser.add_argument("--lines", metavar="ROOM", help="name the lines of a room that no test runs")
    parser.add_argument("--report", action="store_true", help="do not run the tests again")
    options = parser.parse_args()
    if not options.report:
        run_tests()
    lines = counts()
    if options.lines:
        print_missing(lines, options.lines)
        return 0
    rooms = by_room(lines)
    for name in sorted(rooms, key=lambda name: (name == "total", name)):
        run, total, percent = rooms[name]
        least = LEAST_PERCENT.get(name)
        print(f"{name:22} {run:6} of {total:6} lines {percent:6.1f}%" + (f"  (at least {least}%)" if least else ""))
    short = [name for name, least in LEAST_PERCENT.items() if rooms.get(name, (0, 0, 0))[2] < least]
    if options.check and short:
        print(f"coverage: too little of {', '.join(short)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
