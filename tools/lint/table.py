"""src/rooms.txt as the gates and the picture read it. cmake/Rooms.cmake reads the same file."""

import collections

import source

# name: "core", "engine/llama_child"; or a folder outside src/, which the table writes with a slash before it: "/sim"
Room = collections.namedtuple("Room", "name lower libraries")

TABLE = source.ROOT / "src" / "rooms.txt"


class TableError(Exception):
    """The table itself cannot be read."""


def read():
    """Name -> Room, in the table's order."""
    rooms = {}
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("|")
        if len(fields) != 3:
            raise TableError(f"{source.relative(TABLE)}:{number}: a line is: room | what it may include | libraries")
        name = fields[0].strip()
        if name in rooms:
            raise TableError(f"{source.relative(TABLE)}:{number}: {name} stands here twice")
        rooms[name] = Room(name, fields[1].split(), fields[2].split())
    for room in rooms.values():
        for below in room.lower:
            if below not in rooms:
                raise TableError(f"{source.relative(TABLE)}: {room.name} names {below}, which has no line of its own")
    return rooms


def inside(rooms):
    """The rooms of src/ alone, without the folders beside it."""
    return {name: room for name, room in rooms.items() if not name.startswith("/")}


def reachable(rooms, name):
    """The rooms that this one may include, directly or through others."""
    seen, waiting = set(), [name]
    while waiting:
        for below in rooms[waiting.pop()].lower:
            if below not in seen:
                seen.add(below)
                waiting.append(below)
    return seen


def room_of(rooms, path):
    """The room of a path below the root (the longest folder that the table has), or None."""
    folder = path.rsplit("/", 1)[0] if "/" in path else ""
    while folder:
        name = folder[len("src/") :] if folder.startswith("src/") else "/" + folder
        if name in rooms:
            return name
        folder = folder.rsplit("/", 1)[0] if "/" in folder else ""
    return None
