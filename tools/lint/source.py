"""What the gates look at: the project's own source files, and C text without comments and strings."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The trainer of the built-in model is a research tool with its own style.
EXCLUDED = {"tools/demo-model"}
SKIPPED_FOLDERS = {"node_modules", ".deps", "__pycache__"}
TOP_FOLDERS = ("src", "sim", "tests", "tools", "cmake", ".ci")

C_SUFFIXES = (".c", ".h", ".cpp", ".hpp")

_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def _walk(folder):
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in SKIPPED_FOLDERS and relative(path) not in EXCLUDED:
                yield from _walk(path)
        else:
            yield path


def relative(path):
    return path.relative_to(ROOT).as_posix()


def files(suffixes, tops=TOP_FOLDERS):
    """Paths below the top folders whose name ends in one of the suffixes."""
    for top in tops:
        if (ROOT / top).is_dir():
            for path in _walk(ROOT / top):
                if path.name.endswith(tuple(suffixes)):
                    yield path


def scripts(interpreter):
    """Files without a suffix whose first line names the interpreter, such as .ci/run."""
    for path in files(("",)):
        if not path.suffix:
            with path.open("rb") as handle:
                first = handle.readline()
            if first.startswith(b"#!") and interpreter.encode() in first:
                yield path


def blank(text):
    """C text in which comments and literals are blanks; the line breaks stay."""
    return _TOKENS.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def report(problems):
    """Prints the problems and gives the exit status."""
    for problem in problems:
        print(problem)
    return 1 if problems else 0
