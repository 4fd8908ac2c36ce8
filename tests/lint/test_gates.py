"""Each gate passes a small tree in order, and fails on a planted fault and names it."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

TABLE = """\
# room | may include | libraries
base   |             | uthash
core   | base        | uthash
store  | base        | sqlite
api    | store core base |
/src   | api base    |
/sim   | core base   |
"""


def header(path, body=""):
    guard = "NATARIS_" + path.removeprefix("src/").replace("/", "_").replace(".", "_").upper()
    return f"/* A header. */\n#ifndef {guard}\n#define {guard}\n\n{body or 'struct a;'}\n\n#endif\n"


def program(include, call):
    return f'#include "{include}"\n\nint main(void) {{\n    return {call}();\n}}\n'


def function(own, other, name, value):
    includes = f'#include "{own}"\n' + (f'\n#include "{other}"\n' if other else "")
    return f"{includes}\nint {name}(void) {{\n    return {value};\n}}\n"


CLEAN = {
    "src/rooms.txt": TABLE,
    "src/base/banned.h": header("src/base/banned.h", "#undef strcpy"),
    "src/base/str.h": header("src/base/str.h", "int str_len(void);").replace("A header", "Text"),
    "src/base/str.c": function("base/str.h", "", "str_len", "(int)sizeof(int)"),
    "src/base/clock.h": header("src/base/clock.h"),
    "src/core/core.h": header("src/core/core.h", "int core_step(void);"),
    "src/core/core.c": function("core/core.h", "base/str.h", "core_step", "str_len()"),
    "src/store/store.h": header("src/store/store.h", "int store_open(void);"),
    "src/store/store.c": function("store/store.h", "", "store_open", "0"),
    "src/api/api.h": header("src/api/api.h", "int api_open(void);"),
    "src/api/api.c": function("api/api.h", "store/store.h", "api_open", "store_open()"),
    "src/main.c": program("api/api.h", "api_open"),
    "sim/main.c": program("core/core.h", "core_step"),
    "tests/unit/store/test_store.c": program("store/store.h", "store_open"),
    "tests/support/fixture.h": header("tests/support/fixture.h", '#include "base/str.h"'),
    "docs/ARCHITECTURE.md": "# Architecture\n",
    "tools/one.sh": "#!/usr/bin/env bash\necho one\n",
    "tools/two.py": '"""Two."""\n',
}


class Gates(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="nataris-lint-"))
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in CLEAN.items():
            self.write(path, text)
        for name in (".clang-format", ".clang-tidy"):
            shutil.copy(ROOT / name, self.root / name)

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def run_gate(self, gate, *arguments):
        command = [ROOT / "tools" / gate, *arguments]
        if gate.endswith(".py"):
            command.insert(0, sys.executable)
        environment = dict(os.environ, NATARIS_LINT_ROOT=str(self.root), PYTHONDONTWRITEBYTECODE="1")
        run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return run.returncode, run.stdout + run.stderr

    def assert_clean(self, gate, *arguments):
        status, output = self.run_gate(gate, *arguments)
        self.assertEqual(status, 0, output)

    def assert_found(self, gate, *words, arguments=()):
        status, output = self.run_gate(gate, *arguments)
        self.assertNotEqual(status, 0, f"{gate} passed")
        for word in words:
            self.assertIn(word, output)

    def test_format(self):
        self.assert_clean("lint/format.sh")
        self.write("src/base/str.c", '#include "base/str.h"\n\nint str_len(void) { return 1; }\n')
        self.assert_found("lint/format.sh", "src/base/str.c:3:")

    def test_size_of_a_file(self):
        self.assert_clean("lint/size.py")
        self.write("tools/two.py", "\n" * 501)
        self.assert_found("lint/size.py", "tools/two.py: 501 lines")

    def test_size_of_a_function(self):
        self.write("src/base/str.c", "int str_len(void) {\n" + "    str_len();\n" * 70 + "    return 0;\n}\n")
        self.assert_found("lint/size.py", "str_len", "more than 70")

    def test_size_complexity(self):
        body = "".join(f"    if (a == {i}) {{\n        return {i};\n    }}\n" for i in range(15))
        self.write("src/base/str.c", f"int str_len(int a) {{\n{body}    return 0;\n}}\n")
        self.assert_found("lint/size.py", "complexity 16")

    def test_walks(self):
        self.write("docs/REQUEST.md", "1. `api/api.c`: `api_open()`, then `store/store.c`,\n   `store_open()`.\n")
        self.assert_clean("lint/walks.py")
        self.write("docs/REQUEST.md", "1. `api/api.c`: `store_open()`; `api/gone.c`.\n")
        self.assert_found("lint/walks.py", "docs/REQUEST.md:1: api/api.c does not define store_open()",
                          "docs/REQUEST.md:1: there is no api/gone.c")

    def test_rooms_clean(self):
        self.assert_clean("lint/rooms.py")

    def test_rooms_upward(self):
        self.write("src/store/store.c", '#include "store/store.h"\n\n#include "api/api.h"\n')
        self.assert_found("lint/rooms.py", "src/store/store.c:3: store may not include api: api/api.h")

    def test_rooms_circle_in_the_table(self):
        self.write("src/rooms.txt", TABLE.replace("store  | base ", "store  | base api"))
        self.assert_found("lint/rooms.py", "a circle of rooms: api store")

    def test_rooms_unknown_folder(self):
        self.write("src/cellar/cellar.c", "")
        self.assert_found("lint/rooms.py", "src/cellar/cellar.c: src/cellar is not in src/rooms.txt")

    def test_rooms_library(self):
        self.write("src/api/api.c", "#include <sqlite3.h>\n")
        self.assert_found("lint/rooms.py", "src/api/api.c:1: api may not use sqlite: <sqlite3.h>")

    def test_rooms_unknown_library(self):
        self.write("src/api/api.c", "#include <boost.h>\n")
        self.assert_found("lint/rooms.py", "src/api/api.c:1: <boost.h> is of no library")

    def test_rooms_core_is_pure(self):
        self.write("src/core/core.c", '#include "base/clock.h"\n#include <stdio.h>\n')
        self.assert_found("lint/rooms.py", "core.c:1: core is pure and may not see base/clock.h")
        self.assert_found("lint/rooms.py", "core.c:2: core is pure and may not see <stdio.h>")

    def test_rooms_core_is_pure_through_another_header(self):
        self.write("src/base/str.h", header("src/base/str.h", '#include "base/clock.h"'))
        self.assert_found("lint/rooms.py", "src/base/str.h:5: core is pure and may not see base/clock.h")

    def test_rooms_sim(self):
        self.write("sim/main.c", '#include "store/store.h"\n')
        self.assert_found("lint/rooms.py", "sim/main.c:1: sim may not include store")

    def test_rooms_unit_test(self):
        self.write("tests/unit/store/test_store.c", '#include "api/api.h"\n')
        self.assert_found("lint/rooms.py", "tests/unit/store/test_store.c may not include api")

    def test_rooms_unit_test_through_support(self):
        self.write("tests/support/fixture.h", header("tests/support/fixture.h", '#include "api/api.h"'))
        self.write("tests/unit/store/test_store.c", '#include "support/fixture.h"\n')
        self.assert_found("lint/rooms.py", "tests/support/fixture.h:5:", "test_store.c may not include api")

    def test_circles_of_files(self):
        self.assert_clean("lint/circles.py")
        self.write("src/store/rows.h", header("src/store/rows.h", '#include "store/store.h"'))
        self.write("src/store/store.c", '#include "store/rows.h"\n')
        self.assert_found("lint/circles.py", "a circle of files: store/rows store/store")
        self.write("docs/ARCHITECTURE.md", "## Circles\n\n- `store/rows` `store/store`: they are one.\n\n## More\n")
        self.assert_clean("lint/circles.py")

    def test_circles_named_but_gone(self):
        self.write("docs/ARCHITECTURE.md", "## Circles\n\n- `store/rows` `store/store`: they are one.\n")
        self.assert_found("lint/circles.py", "no circle any more: store/rows store/store")

    def test_circles_of_rooms(self):
        self.write("src/store/store.c", '#include "api/api.h"\n')
        self.assert_found("lint/circles.py", "a circle of rooms: api store")

    def test_circles_too_many(self):
        bullets = ""
        for name in "abcdefg":
            self.write(f"src/store/{name}.h", header(f"src/store/{name}.h", f'#include "store/{name}{name}.h"'))
            self.write(f"src/store/{name}{name}.h", header(f"src/store/{name}{name}.h", f'#include "store/{name}.h"'))
            bullets += f"- `store/{name}` `store/{name}{name}`: so.\n"
        self.write("docs/ARCHITECTURE.md", f"## Circles\n\n{bullets}")
        self.assert_found("lint/circles.py", "7 circles, more than 6")

    def test_headers_without_a_source(self):
        self.assert_clean("lint/headers.py")
        self.write("src/store/rows.h", header("src/store/rows.h", "int store_open(void);"))
        self.assert_found("lint/headers.py", "src/store/rows.h: declares functions, but there is no source")

    def test_headers_of_types_need_none(self):
        self.write("src/store/rows.h", header("src/store/rows.h", "struct row {\n    int (*read)(void);\n};"))
        self.assert_clean("lint/headers.py")

    def test_headers_defined_elsewhere(self):
        self.write("src/store/rows.c", "int store_open(void) {\n    return 0;\n}\n")
        self.write("src/store/store.c", "")
        self.assert_found("lint/headers.py", "are defined in a source of another name", "more than 5%")
        self.assertIn("store_open is defined in store/rows", self.run_gate("lint/headers.py", "--list")[1])

    def test_headers_defined_nowhere(self):
        self.write("src/store/store.c", "")
        self.assert_found("lint/headers.py", "src/store/store.h: store_open is declared here and defined nowhere")

    def test_columns(self):
        self.assert_clean("lint/columns.py")
        self.write("src/base/str.c", '#include "base/str.h"\n/* ' + "words " * 25 + "*/\n")
        self.assert_found("lint/columns.py", "src/base/str.c:2: 155 columns, more than 120")
        self.run_gate("lint/columns.py", "--fix")
        self.assert_clean("lint/columns.py")

    def test_dialect(self):
        self.assert_clean("lint/dialect.py")
        faults = {
            "int f(int a) {\n    return (int)sizeof a;\n}\n": "x.c:2: write sizeof(a)",
            "void *f(void) {\n    return (char *)mem_alloc(2);\n}\n": "x.c:2: no cast from void *: (char *)",
            "void f(void *to) {\n    struct x *x = (struct x *)to;\n}\n": "x.c:2: no cast from void *: (struct x *)",
            "typedef struct x y;\n": "x.c:1: no typedef of a struct",
            "/* TO" + "DO: more */\n": "x.c:1: TO" + "DO",
        }
        for text, words in faults.items():
            self.write("src/base/x.c", text)
            self.assert_found("lint/dialect.py", words)
        self.write("src/base/x.c", "".join(list(faults)[:3]))
        self.run_gate("lint/dialect.py", "--fix", "src/base")
        self.assert_clean("lint/dialect.py")

    def test_dialect_guard(self):
        self.write("src/base/x.h", "#ifndef NATARIS_BASE_Y_H\n#define NATARIS_BASE_Y_H\n#endif\n")
        self.assert_found("lint/dialect.py", "src/base/x.h:1: the guard should be NATARIS_BASE_X_H")

    def test_banned(self):
        self.assert_clean("lint/banned.py")
        self.write("src/base/str.c", "void f(char *a) {\n    strcpy(a, a);\n}\n")
        self.assert_found("lint/banned.py", "src/base/str.c:2: strcpy is banned")

    def test_scripts(self):
        self.assert_clean("lint/scripts.py")
        self.write("tools/one.sh", "if true; then\n")
        self.write("tools/two.py", "def f(:\n")
        self.write("tests/e2e/three.test.mjs", "const a = [2, 1];\nexport const b = a.toSorted();\n")
        self.assert_found("lint/scripts.py", "tools/one.sh", "tools/two.py:1:", "three.test.mjs:2: .toSorted( is newer")

    def test_map(self):
        self.assert_found("map.py", "docs/MAP.md: no sentence for src/base/str")
        self.run_gate("map.py", "--update")
        page = (self.root / "docs" / "MAP.md").read_text()
        self.assertIn("- `str`: Text.", page)
        for line in page.splitlines():
            if line.startswith("## "):
                page = page.replace(f"{line}\n", f"{line}\n\nA folder.\n")
        self.write("docs/MAP.md", page.replace("`:\n", "`: A thing.\n"))
        self.assert_clean("map.py")
        (self.root / "src/base/str.h").rename(self.root / "src/base/text.h")
        (self.root / "src/base/str.c").unlink()
        self.assert_found("map.py", "no sentence for src/base/text", "src/base/str is gone")

    def test_picture(self):
        self.run_gate("rooms_picture.py")
        self.assert_clean("rooms_picture.py", "--check")
        self.write("src/rooms.txt", TABLE.replace("store  | base ", "store  | base core"))
        self.assert_found("rooms_picture.py", "docs/rooms.svg is not up to date", arguments=["--check"])

    def test_runpath(self):
        libraries = self.root / ".deps/llama/lib"
        libraries.mkdir(parents=True)
        compile_library = ["gcc", "-shared", "-fPIC", "-xc", "/dev/null", "-o", str(libraries / "a.so")]
        subprocess.run([*compile_library, "-Wl,-rpath,$ORIGIN"], check=True)
        self.assert_clean("lint/runpath.py")
        subprocess.run([*compile_library, "-Wl,-rpath,$ORIGIN:"], check=True)
        self.assert_found("lint/runpath.py", "a.so", "has an empty entry")
        subprocess.run([*compile_library, "-Wl,-rpath,/opt/lib"], check=True)
        self.assert_found("lint/runpath.py", "looks in /opt/lib")
        subprocess.run([*compile_library, "-Wl,-rpath,$ORIGIN:$ORIGIN/b"], check=True)
        self.assert_found("lint/runpath.py", "has several entries")
        subprocess.run([*compile_library, "-Wl,-rpath,$ORIGINAL"], check=True)
        self.assert_found("lint/runpath.py", "looks in $ORIGINAL")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze here")
    def test_units(self):
        for unit in ("nataris-gateway", "nataris-provider"):
            source = pathlib.Path(__file__).parents[2] / f"packaging/systemd/{unit}.service.in"
            self.write(f"packaging/systemd/{unit}.service.in", source.read_text(encoding="utf-8"))
        self.assert_clean("lint/units.py")
        text = source.read_text(encoding="utf-8").replace("NoNewPrivileges=yes\n", "").replace("ProtectHome=yes\n", "")
        self.write("packaging/systemd/nataris-provider.service.in", text.replace("PrivateUsers=yes\n", ""))
        self.assert_found("lint/units.py", "nataris-provider.service.in: exposure", "more than 1.5")

    def test_tidy(self):
        self.write("build-debug/build.ninja", "build nataris-generated: phony\n")
        path = self.root / "src/base/str.c"
        command = f"gcc -I{self.root}/src -c {path}"
        entry = f'[{{"directory": "{self.root}/build-debug", "file": "{path}", "command": "{command}"}}]'
        self.write("build-debug/compile_commands.json", entry)
        self.assert_clean("lint/tidy.sh")
        self.write("src/base/str.c", "int str_len(int a) {\n    int *b = 0;\n    return a ? *b : 1;\n}\n")
        self.assert_found("lint/tidy.sh", "src/base/str.c:3:")


if __name__ == "__main__":
    unittest.main()
