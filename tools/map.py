#!/usr/bin/env python3
"""Gate: docs/MAP.md has one sentence for every folder and file, and for nothing else.

A section is a folder, its first line the sentence; a bullet is a file, or for C a unit: `job` is job.h and job.c. In
tests/ a bullet is a folder; tests/unit mirrors src/ and has one for all. --missing prints what lacks a sentence;
--update puts it into the page, with the first comment of the file as a proposal, and takes out what is gone (a file
that has moved keeps its sentence).
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "lint"))

import source  # noqa: E402

PAGE = source.ROOT / "docs" / "MAP.md"
TOPS = ("src", "sim", "cmake", "tools")
TESTS = "tests"
UNIT_SUFFIXES = (".c", ".h", ".cpp")
SECTION = re.compile(r"^## `([^`]+)/`$")
BULLET = re.compile(r"^- `([^`]+)`: ?(.*)$")


def folders(folder):
    """A folder and all below it."""
    if folder.is_dir() and folder.name not in source.SKIPPED_FOLDERS:
        yield folder
        for path in sorted(folder.iterdir()):
            yield from folders(path)


def test_folders():
    """The folders of tests/ that have a bullet: two levels, but what mirrors src/ and the corpora only one."""
    top = source.ROOT / TESTS
    for path in folders(top):
        parts = path.relative_to(top).parts
        if len(parts) == 1 or (len(parts) == 2 and parts[0] not in ("unit", "fuzz")):
            yield "/".join(parts) + "/"


def entry_of(path):
    return path.stem if path.suffix in UNIT_SUFFIXES else path.name


def wanted():
    """Folder -> {entry: the files that it stands for}"""
    result = {}
    for top in TOPS:
        for folder in folders(source.ROOT / top):
            entries = result.setdefault(source.relative(folder), {})
            for path in sorted(folder.iterdir()):
                if path.is_file():
                    entries.setdefault(entry_of(path), []).append(path)
    if (source.ROOT / TESTS).is_dir():
        result[TESTS] = {entry: [] for entry in test_folders()}
    return result


def read():
    """(text before the first section, folder -> [sentence, {entry: sentence}])"""
    intro, sections, current = [], {}, None
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        section, bullet = SECTION.match(line), BULLET.match(line)
        if section:
            current = sections[section[1]] = ["", {}]
        elif current is None:
            intro.append(line)
        elif bullet:
            current[1][bullet[1]] = bullet[2]
        elif current[1]:
            last = list(current[1])[-1]
            current[1][last] = f"{current[1][last]} {line.strip()}".strip()
        else:
            current[0] = f"{current[0]} {line.strip()}".strip()
    return intro, sections


def proposal(paths):
    """The first sentence of the files' first comment."""
    for path in sorted(paths, key=lambda path: path.suffix != ".h"):
        text = re.sub(r"\A#!.*\n", "", path.read_text(errors="replace"))
        match = re.match(r'\s*/\*(.*?)\*/|\s*"""(.*?)"""|((?:\s*(?:#|//|--) .*\n)+)', text, re.DOTALL)
        if match:
            words = re.sub(r"^\s*(\*|#|//|--) ?", "", next(filter(None, match.groups())), flags=re.MULTILINE)
            sentence = re.match(r"(.*?)[.:]?(?:(?<=\.) |$)", " ".join(words.split()))
            if sentence:
                return sentence[1] + "."
    return ""


def render(intro, sections):
    lines = [*intro]
    for folder, (sentence, entries) in sections.items():
        lines += [f"## `{folder}/`", "", *wrap(sentence, "")]
        lines += [""] if entries and sentence else []
        for entry, text in sorted(entries.items()):
            lines += wrap(f"- `{entry}`: {text}", "  ")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def wrap(text, indent):
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > 120:
            lines.append(indent + word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return [line for line in lines if line]


def update():
    intro, old = read()
    want = wanted()
    homeless = {}
    for folder, (_, entries) in old.items():
        for entry, text in entries.items():
            if entry not in want.get(folder, {}):
                homeless.setdefault(entry, []).append(text)
    new = {}
    for folder, entries in want.items():
        sentence, known = old.get(folder, ["", {}])
        texts = {}
        for entry, paths in entries.items():
            moved = homeless.get(entry, [])
            texts[entry] = known.get(entry) or (moved[0] if len(moved) == 1 else proposal(paths))
        new[folder] = [sentence, texts]
    PAGE.write_text(render(intro or ["# Map", ""], new))


def problems():
    page = source.relative(PAGE)
    _, have = read()
    want = wanted()
    for folder, entries in want.items():
        sentence, known = have.get(folder, ["", {}])
        if not sentence:
            yield f"{page}: no sentence for {folder}/"
        for entry in entries:
            if not known.get(entry):
                yield f"{page}: no sentence for {folder}/{entry}"
        for entry in known:
            if entry not in entries:
                yield f"{page}: {folder}/{entry} is gone"
    for folder in have:
        if folder not in want:
            yield f"{page}: {folder}/ is gone"


def main():
    if sys.argv[1:] == ["--update"]:
        update()
        return 0
    found = list(problems())
    if sys.argv[1:] == ["--missing"]:
        found = [problem for problem in found if ": no sentence for " in problem]
        print("\n".join(found))
        return 0
    return source.report(found)


if __name__ == "__main__":
    sys.exit(main())
