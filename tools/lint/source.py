"""What the gates look at: the project's own source files, and C text without comments and strings."""

import os
import pathlib
import re

# The tests of the gates (tests/lint/) let them look at a small tree with a planted fault.
ROOT = pathlib.Path(os.environ.get("NATARIS_LINT_ROOT") or pathlib.Path(__file__).resolve().parents[2])
# The trainer of the built-in model is a research tool with its own style.
EXCLUDED = {"tools/demo-model"}
SKIPPED_FOLDERS = {"node_modules", ".deps", "__pycache__"}
TOP_FOLDERS = ("src", "sim", "tests", "tools", "cmake", ".ci")

C_SUFFIXES = (".c", ".h", ".cpp", ".hpp")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
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


def includes(path):
    """(line, "<" or the double quote, what is included) for every #include of a C file."""
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match[1], match[2]


def circles(graph):
    """The strongly connected components of more than one node, each sorted; graph: node -> nodes (Tarjan)."""
    index, low, stack, found = {}, {}, [], []
    for root in sorted(graph):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        path = [(root, iter(sorted(graph[root])))]
        while path:
            node, rest = path[-1]
            below = next(rest, None)
            if below is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    start = stack.index(node)
                    if len(stack) - start > 1:
                        found.append(sorted(stack[start:]))
                    del stack[start:]
            elif below not in index:
                index[below] = low[below] = len(index)
                stack.append(below)
                path.append((below, iter(sorted(graph.get(below, ())))))
            elif below in stack:
                low[node] = min(low[node], index[below])
    return sorted(found)


def report(problems):
    """Prints the problems and gives the exit status."""
    for problem in problems:
        print(problem)
    return 1 if problems else 0
