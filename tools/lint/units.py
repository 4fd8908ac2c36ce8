#!/usr/bin/env python3
"""Gate: the systemd units in packaging/systemd are well formed and let a service do little.

`systemd-analyze security` rates what a unit leaves open, 0 (nothing) to 10; ours stay at 1.5 or less. Where there is
no systemd-analyze the gate says so and passes.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import pathlib

import source

EXPOSURE_MAX = 1.5
EXPOSURE = re.compile(r"Overall exposure level for \S+: ([0-9.]+)")
PLACES = {"@CMAKE_INSTALL_FULL_BINDIR@": "/usr/bin", "@CMAKE_INSTALL_FULL_DOCDIR@": "/usr/share/doc/nataris"}


def fill(template, folder):
    text = template.read_text(encoding="utf-8")
    for place, path in PLACES.items():
        text = text.replace(place, path)
    unit = pathlib.Path(folder) / template.stem
    unit.write_text(text, encoding="utf-8")
    return unit, text


def check(template, folder):
    unit, text = fill(template, folder)
    name = source.relative(template)
    for place in re.findall(r"@\w+@", text):
        yield f"{name}: {place} is not filled in"
    run = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = EXPOSURE.search(run.stdout)
    if not found:
        yield f"{name}: systemd-analyze gives no rating: {run.stderr.strip()}"
    elif float(found.group(1)) > EXPOSURE_MAX:
        yield f"{name}: exposure {found.group(1)}, more than {EXPOSURE_MAX}"
    for line in run.stderr.splitlines():
        if re.search(r"[Uu]nknown|[Ii]nvalid|[Ff]ailed to parse", line):
            yield f"{name}: {line.strip()}"


def main():
    if shutil.which("systemd-analyze") is None:
        print("units: there is no systemd-analyze here, nothing was rated")
        return 0
    templates = sorted((source.ROOT / "packaging" / "systemd").glob("*.service.in"))
    with tempfile.TemporaryDirectory() as folder:
        return source.report([problem for template in templates for problem in check(template, folder)])


if __name__ == "__main__":
    sys.exit(main())
