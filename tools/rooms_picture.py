#!/usr/bin/env python3
"""Draws docs/rooms.svg from src/rooms.txt: a box a room, the lower ones below, its libraries in it.

An arrow says "may include"; one that follows from others is left out. With --check nothing is written: it fails when
the picture is not up to date (a gate of make lint).
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "lint"))

import source  # noqa: E402
import table  # noqa: E402

PICTURE = source.ROOT / "docs" / "rooms.svg"

LETTER, BOX_HEIGHT, GAP, LEVEL = 7.5, 40, 26, 92  # pixels; LEVEL from one row of boxes to the next
PAD = 20
HEADERS_ONLY = {"uthash"}
SWEEPS = 24


def reduced(rooms):
    """Room -> the rooms below it that are not below another of its own."""
    below = {name: table.reachable(rooms, name) for name in rooms}
    return {
        name: [low for low in room.lower if not any(low in below[other] for other in room.lower if other != low)]
        for name, room in rooms.items()
    }


def levels_of(edges):
    levels = {}

    def level(name):
        if name not in levels:
            levels[name] = 1 + max((level(low) for low in edges[name]), default=-1)
        return levels[name]

    for name in edges:
        level(name)
    return levels


class Layout:
    """Rows of nodes. An arrow over several rows passes through a point in each, so that it goes around the boxes."""

    def __init__(self, rooms):
        self.rooms = rooms
        edges = reduced(rooms)
        levels = levels_of(edges)
        self.rows = [[] for _ in range(max(levels.values()) + 1)]
        self.links = []  # (node above, node below), one row apart
        self.paths = []  # the nodes of each arrow
        for name in rooms:
            self.rows[levels[name]].append(name)
        for name, lows in edges.items():
            for low in lows:
                path = [name]
                for row in range(levels[name] - 1, levels[low], -1):
                    path.append(("point", name, low, row))
                    self.rows[row].append(path[-1])
                path.append(low)
                self.paths.append(path)
                self.links += zip(path, path[1:])
        self.sort_rows()
        self.place()

    def width(self, node):
        return 8 if isinstance(node, tuple) else 24 + LETTER * max(len(node), 0.85 * len(self.libraries(node)))

    def libraries(self, room):
        return " ".join(library for library in self.rooms[room].libraries if library not in HEADERS_ONLY)

    def sort_rows(self):
        """Each node near the middle of its neighbours, up and down again: few arrows cross."""
        for sweep in range(SWEEPS):
            order = range(len(self.rows)) if sweep % 2 else reversed(range(len(self.rows)))
            place = {node: index / max(len(row) - 1, 1) for row in self.rows for index, node in enumerate(row)}
            for index in order:
                near = {node: [] for node in self.rows[index]}
                for high, low in self.links:
                    if high in near and sweep % 2:
                        near[high].append(place[low])
                    if low in near and not sweep % 2:
                        near[low].append(place[high])
                row = self.rows[index]
                row.sort(key=lambda node: sum(near[node]) / len(near[node]) if near[node] else place[node])
                place.update({node: at / max(len(row) - 1, 1) for at, node in enumerate(row)})

    def place(self):
        widths = [sum(self.width(node) for node in row) + GAP * (len(row) - 1) for row in self.rows]
        self.page_width = max(widths) + 2 * PAD
        self.page_height = LEVEL * (len(self.rows) - 1) + BOX_HEIGHT + 2 * PAD
        self.at = {}
        for index, row in enumerate(self.rows):
            spread = (self.page_width - 2 * PAD - widths[index]) / (len(row) + 1)
            x, y = PAD + spread, PAD + LEVEL * (len(self.rows) - 1 - index)
            for node in row:
                self.at[node] = (x + self.width(node) / 2, y)
                x += self.width(node) + GAP + spread

    def svg(self):
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.page_width:.0f}" height="{self.page_height:.0f}" '
            f'font-family="sans-serif" text-anchor="middle">'
        )
        yield "<!-- Drawn by tools/rooms_picture.py from src/rooms.txt. -->"
        yield '<rect width="100%" height="100%" fill="white"/>'
        yield (
            '<marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#678"/></marker>'
        )
        for path in self.paths:
            yield f'<path d="{self.curve(path)}" fill="none" stroke="#678" marker-end="url(#end)"/>'
        for room in self.rooms:
            yield from self.box(room)
        yield "</svg>"

    def curve(self, path):
        x, y = self.at[path[0]]
        y += BOX_HEIGHT
        parts = [f"M{x:.0f} {y:.0f}"]
        for node in path[1:]:
            to_x, to_y = self.at[node]
            middle = (y + to_y) / 2
            parts.append(f"C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}")
            x, y = to_x, to_y
            if isinstance(node, tuple):
                y += BOX_HEIGHT
                parts.append(f"V{y:.0f}")
        return "".join(parts)

    def box(self, room):
        x, y = self.at[room]
        width, libraries = self.width(room), self.libraries(room)
        yield (
            f'<rect x="{x - width / 2:.0f}" y="{y:.0f}" width="{width:.0f}" height="{BOX_HEIGHT}" rx="5" '
            f'fill="#eef3f8" stroke="#345"/>'
        )
        yield f'<text x="{x:.0f}" y="{y + (18 if libraries else 25):.0f}" font-size="14" fill="#123">{room}</text>'
        if libraries:
            yield f'<text x="{x:.0f}" y="{y + 33:.0f}" font-size="11" fill="#678">{libraries}</text>'


def main():
    rooms = table.inside(table.read())
    if source.circles({name: room.lower for name, room in rooms.items()}):
        return source.report(["src/rooms.txt has a circle of rooms; there is nothing to draw"])
    text = "\n".join(Layout(rooms).svg()) + "\n"
    if sys.argv[1:] == ["--check"]:
        current = PICTURE.exists() and PICTURE.read_text() == text
        return source.report([] if current else ["docs/rooms.svg is not up to date: run tools/rooms_picture.py"])
    PICTURE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
