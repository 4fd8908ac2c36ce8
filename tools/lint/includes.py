#!/usr/bin/env python3
"""Gate: who may include whom in src/. Includes go downward only and are written from src/."""

import re
import sys

import source

# Folder -> the other folders of src/ that it may include. CMakeLists.txt links by the same table.
LOWER = {"wire", "catalog", "net", "base"}
ALLOWED = {
    "base": set(),
    "wire": {"base"},
    "catalog": {"base"},
    "net": {"base"},
    "core": {"base"},
    "link": LOWER,
    "engine": LOWER,
    "engine/llama_child": {"engine", "wire", "base"},
    "store": LOWER,
    "api": LOWER | {"core", "link", "engine", "store"},
    "provider": LOWER | {"link", "engine"},
    "gateway": LOWER | {"core", "link", "engine", "store", "api"},
    "cmd": LOWER | {"core", "link", "engine", "store", "api", "gateway", "provider"},
    "": {"cmd", "base"},
}

# The core is pure: of the system it may see only what neither does I/O nor asks the time.
PURE_HEADERS = {
    "assert.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h",
    "stdint.h", "stdlib.h", "string.h", "uthash.h", "utlist.h",
}

# A library is used in one place only.
LIBRARY_HOMES = {
    "curl/": {"cmd", "gateway", "provider"},
    "ini.h": {"base", "cmd"},
    "llama.h": {"engine/llama_child"},
    "llhttp.h": {"net"},
    "muParser": {"api"},
    "simdjson.h": {"base"},
    "sqlite3.h": {"store"},
}

GENERATED = {"embedded_store.h": "store", "embedded_api.h": "api"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    return path.rsplit("/", 1)[0] if "/" in path else ""


def check_own(folder, target):
    target_folder = folder_of(target)
    if target in GENERATED:
        return None if GENERATED[target] == folder else f"{target} belongs to {GENERATED[target]}"
    if not target_folder:
        if folder == "engine/llama_child" and not (source.ROOT / "src" / folder / target).exists():
            return None  # a header of llama.cpp
        return f'write the include from src/: "{target}"'
    if target_folder == folder or target_folder in ALLOWED[folder]:
        return None
    return f"{folder or 'main.c'} may not include {target_folder}"


def check_system(folder, target):
    if folder == "core" and target not in PURE_HEADERS:
        return f"core is pure and may not include <{target}>"
    for library, homes in LIBRARY_HOMES.items():
        if target.startswith(library) and folder not in homes:
            return f"<{target}> may be included only by {', '.join(sorted(homes))}"
    return None


def check_file(path):
    folder = folder_of(path.relative_to(source.ROOT / "src").as_posix())
    if folder not in ALLOWED:
        yield f"{source.relative(path)}: src/{folder} is not in the table of tools/lint/includes.py"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            check = check_own if match[1] == '"' else check_system
            problem = check(folder, match[2])
            if problem:
                yield f"{source.relative(path)}:{number}: {problem}"


if __name__ == "__main__":
    sys.exit(source.report([problem for path in source.files(source.C_SUFFIXES, ("src",)) for problem in check_file(path)]))
