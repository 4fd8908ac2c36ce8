#!/usr/bin/env python3
"""Gate: no circle of includes, neither of rooms nor of files, but those that docs/ARCHITECTURE.md names as "Circles".

A unit is a header with the source of its name: a.h, a.c. One unit needs another when one of its files includes the
other's header. A circle of files is a set of units that all need each other in the end: none can be read, tested or
moved without the others. A bullet of the section names one circle, its units in backticks; there are six at most.
"""

import re
import sys

import source

ALLOWED_MOST = 6
PAGE = source.ROOT / "docs" / "ARCHITECTURE.md"


def graph_of_units():
    src = source.ROOT / "src"
    paths = {path.relative_to(src).as_posix(): path for path in source.files(source.C_SUFFIXES, ("src",))}
    graph = {name.rsplit(".", 1)[0]: set() for name in paths}
    for name, path in paths.items():
        unit = name.rsplit(".", 1)[0]
        for _, _, target in source.includes(path):
            if target in paths and target.rsplit(".", 1)[0] != unit:
                graph[unit].add(target.rsplit(".", 1)[0])
    return graph


def room(unit):
    return unit.rsplit("/", 1)[0] if "/" in unit else ""


def graph_of_rooms(units):
    rooms = {room(unit): set() for unit in units}
    for unit, needs in units.items():
        rooms[room(unit)].update(room(other) for other in needs if room(other) != room(unit))
    return rooms


def allowed():
    """The circles that the page names, each as a sorted list of units."""
    text = PAGE.read_text() if PAGE.exists() else ""
    section = re.search(r"^## Circles\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    bullets = re.findall(r"^- (.*?)(?=^- |^$|\Z)", section[1] if section else "", re.MULTILINE | re.DOTALL)
    return [sorted(re.findall(r"`([\w/]+)`", bullet.split(":", 1)[0])) for bullet in bullets]


def check():
    units = graph_of_units()
    for circle in source.circles(graph_of_rooms(units)):
        yield f"a circle of rooms: {' '.join(circle)}"
    found, named = source.circles(units), allowed()
    for circle in found:
        if circle not in named:
            yield f"a circle of files: {' '.join(circle)}"
    for circle in named:
        if circle not in found:
            yield f"{source.relative(PAGE)}: no circle any more: {' '.join(circle)}"
    if len(named) > ALLOWED_MOST:
        yield f"{source.relative(PAGE)}: {len(named)} circles, more than {ALLOWED_MOST}"


if __name__ == "__main__":
    if sys.argv[1:] == ["--count"]:
        print(f"circles of files: {len(source.circles(graph_of_units()))}")
        sys.exit(0)
    sys.exit(source.report(list(check())))
