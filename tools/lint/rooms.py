#!/usr/bin/env python3
"""Gate: who may include whom. src/rooms.txt says it; there is no second copy.

A file of src/ may include its own room and those that the table names for it, by a path written from src/; the table
has no circle. The core may see only what is pure. A unit test may include its room and what that room may include; what
it reaches through a header of tests/ counts as its own. Other folders (sim/, tests/replay/, ...) have lines in the
table. A library's headers may be included only where the table names the library. --unused lists what the table allows
and nobody needs.
"""

import re
import sys

import source
import table

# What of base/ neither does I/O nor asks for the time or for randomness.
PURE_BASE = {
    "arena.h", "buf.h", "compiler.h", "err.h", "json_write.h", "mem.h", "money.h", "random_source.h", "str.h", "utf8.h",
}
PURE_SYSTEM = {
    "assert.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h",
    "stdint.h", "stdlib.h", "string.h", "uthash.h", "utlist.h",
}

# Library, as src/rooms.txt names it -> how its headers begin.
LIBRARIES = {
    "crypto": ("openssl/",),
    "ssl": ("openssl/ssl.h", "openssl/x509v3.h", "openssl/pem.h", "openssl/bio.h"),
    "simdjson": ("simdjson.h",),
    "inih": ("ini.h",),
    "uv": ("uv.h", "uv/"),
    "llhttp": ("llhttp.h",),
    "sqlite": ("sqlite3.h", "sqlite3ext.h"),
    "gmp": ("gmp.h",),
    "mpfr": ("mpfr.h",),
    "curl": ("curl/",),
    "icu": ("unicode/",),
    "uthash": ("uthash.h", "utlist.h", "utarray.h", "utstring.h"),
    "llama": ("llama.h", "ggml", "gguf.h", "chat.h", "common.h", "sampling.h", "log.h",
              "json-schema", "nlohmann/"),
    "cmocka": ("cmocka.h",),
}
EVERY_TEST = {"cmocka"}

SYSTEM = re.compile(
    r"(alloca|assert|ctype|dirent|dlfcn|endian|errno|fcntl|float|ftw|getopt|inttypes|libgen|limits|locale|malloc|math"
    r"|netdb|poll|pthread|sched|semaphore|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib"
    r"|string|strings|spawn|time|unistd|(sys|arpa|netinet|net|linux)/\w+)\.h"
    r"|c(assert|errno|math|stdarg|stddef|stdint|stdio|stdlib|string)"
    r"|algorithm|exception|functional|map|memory|new|string|string_view|utility|vector"
)

EMBED = re.compile(r"nataris_embed\((\w+)\s+\w+\s+\$\{PROJECT_SOURCE_DIR\}/src/([\w/]+)\)")


class Gate:
    def __init__(self):
        self.rooms = table.read()
        cmake = source.ROOT / "CMakeLists.txt"
        embedded = EMBED.findall(cmake.read_text()) if cmake.exists() else []
        self.generated = {f"embedded_{name}.h": room for name, room in embedded}

    def may_include(self, room):
        """The rooms and the libraries that a room or folder may include."""
        line = self.rooms[room]
        return {room, *line.lower}, set(line.libraries)

    def unit_test(self, path):
        """The room that a unit test is of."""
        folder = path.rsplit("/", 1)[0][len("tests/unit/") :]
        return folder if folder in self.rooms else None

    def owner(self, target):
        """The room of an included file that is not of the system, or None."""
        if target in self.generated:
            return self.generated[target]
        room = target.rsplit("/", 1)[0] if "/" in target else None
        return room if room in self.rooms and (source.ROOT / "src" / target).exists() else None

    def library_problem(self, who, libraries, target):
        named = [name for name, prefixes in LIBRARIES.items() if target.startswith(prefixes)]
        if named and not libraries.intersection(named):
            return f"{who} may not use {named[-1]}: <{target}>"
        if not named and not SYSTEM.fullmatch(target):
            return f"<{target}> is of no library that tools/lint/rooms.py knows"
        return None

    def problem(self, who, rooms, libraries, kind, target):
        owner = self.owner(target)
        if owner:
            return None if owner in rooms else f"{who} may not include {owner}: {target}"
        if kind == "<" or self.is_library(target):
            return self.library_problem(who, libraries, target)
        return f'no room has "{target}"; write the include from src/'

    def is_library(self, target):
        """llama.cpp's own headers are included with quotes."""
        return target.startswith(LIBRARIES["llama"])

    def check_src(self, path):
        name = source.relative(path)
        folder = name.rsplit("/", 1)[0]
        room = "/src" if folder == "src" else folder[len("src/") :]
        if room not in self.rooms:
            yield f"{name}: {folder} is not in src/rooms.txt"
            return
        rooms, libraries = self.may_include(room)
        for line, kind, target in source.includes(path):
            problem = self.problem(room.lstrip("/"), rooms, libraries, kind, target)
            if problem:
                yield f"{name}:{line}: {problem}"

    def check_core(self):
        """The core sees only pure headers, also through those that it includes."""
        seen, waiting = set(), list(source.files(source.C_SUFFIXES, ("src/core",)))
        while waiting:
            path = waiting.pop()
            for line, _, target in source.includes(path):
                below = source.ROOT / "src" / target
                if target.startswith("base/") and target[len("base/") :] not in PURE_BASE:
                    yield f"{source.relative(path)}:{line}: core is pure and may not see {target}"
                elif below.exists() and target not in seen:
                    seen.add(target)
                    waiting.append(below)
                elif not below.exists() and target not in PURE_SYSTEM:
                    yield f"{source.relative(path)}:{line}: core is pure and may not see <{target}>"

    def reached(self, path, below):
        """(where, kind, target) of every include of a file, and of the headers below a folder that it includes."""
        seen, waiting = {path}, [path]
        while waiting:
            current = waiting.pop()
            for line, kind, target in source.includes(current):
                header = below / target
                if kind == '"' and header.exists():
                    if header not in seen:
                        seen.add(header)
                        waiting.append(header)
                else:
                    yield f"{source.relative(current)}:{line}", kind, target

    def check_outside(self, top):
        """sim/ and tests/."""
        for path in source.files(source.C_SUFFIXES, (top,)):
            name = source.relative(path)
            if name.startswith("tests/support/"):
                continue  # it is held against the rule of each test that includes it
            room = self.unit_test(name) if name.startswith("tests/unit/") else table.room_of(self.rooms, name)
            if not room:
                yield f"{name}: src/rooms.txt says nothing of {name.rsplit('/', 1)[0]}"
                continue
            rooms, libraries = self.may_include(room)
            for other in rooms:
                libraries = libraries | set(self.rooms[other].libraries)
            libraries |= EVERY_TEST if top == "tests" else set()
            who = name if name.startswith("tests/") else top
            below = source.ROOT / ("tests" if top == "tests" else "")
            for where, kind, target in self.reached(path, below):
                problem = self.problem(who, rooms, libraries, kind, target)
                if problem:
                    yield f"{where}: {problem}"

    def unused(self):
        """What the table allows and no include needs: for tidying, not a fault by itself."""
        used, needed = {name: set() for name in self.rooms}, {name: set() for name in self.rooms}
        for path in source.files(source.C_SUFFIXES, ("src", "sim", "tests")):
            name = source.relative(path)
            folder = name.rsplit("/", 1)[0]
            room = folder[len("src/") :] if folder.startswith("src/") else table.room_of(self.rooms, name)
            if room not in self.rooms:
                continue
            top = name.split("/", 1)[0]
            below = source.ROOT / {"tests": "tests", "sim": ""}.get(top, "no folder")
            for _, _, target in self.reached(path, below):
                used[room].add(self.owner(target))
                needed[room].update(library for library, begin in LIBRARIES.items() if target.startswith(begin))
        for room in self.rooms.values():
            idle = [below for below in room.lower if below not in used[room.name]]
            idle += [library for library in room.libraries if library not in needed[room.name]]
            if idle:
                yield f"{room.name} does not need: {' '.join(idle)}"

    def check_table(self):
        graph = {name: room.lower for name, room in self.rooms.items()}
        for circle in source.circles(graph):
            yield f"src/rooms.txt: a circle of rooms: {' '.join(circle)}"
        for room in self.rooms.values():
            for library in room.libraries:
                if library not in LIBRARIES:
                    yield f"src/rooms.txt: {room.name}: tools/lint/rooms.py does not know the headers of {library}"
            folder = room.name[1:] if room.name.startswith("/") else f"src/{room.name}"
            if not (source.ROOT / folder).is_dir():
                yield f"src/rooms.txt: {room.name} is no folder"

    def run(self):
        problems = list(self.check_table())
        for path in source.files(source.C_SUFFIXES, ("src",)):
            problems += self.check_src(path)
        problems += self.check_core()
        problems += self.check_outside("sim")
        problems += self.check_outside("tests")
        return sorted(set(problems))


def main():
    try:
        gate = Gate()
        if sys.argv[1:] == ["--unused"]:
            print("\n".join(gate.unused()))
            return 0
        return source.report(gate.run())
    except table.TableError as error:
        return source.report([str(error)])


if __name__ == "__main__":
    sys.exit(main())
