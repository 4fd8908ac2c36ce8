#!/usr/bin/env python3
"""The figures of docs/AUDITS.md from what tools/audit/measure.py has measured.

  figures.py collect JSONL...   writes docs/audits.csv: a line an answer
  figures.py [--check]          draws docs/audits.svg from that; --check: fails when it is not up to date (make lint)

The table in docs/AUDITS.md is made by the unit test test_core_audit_figures, through the real sums of core/audit.
"""

import json
import pathlib
import sys
from xml.sax.saxutils import escape

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
TABLE, PICTURE = DOCS / "audits.csv", DOCS / "audits.svg"
HEAD = "honest,tokens,near,far,contradicts,flatter,flattest,sharper,far_ratio,generate_ms,score_ms,cell"
ANSWER_MAX, ALERT = 8, 4  # core/audit.h
LEFT, ROW, WIDTH, PAD = 400, 17, 520, 30
LEAST, MOST = -6, 10  # of the axis; what is beyond stands at its end


def collect(paths):
    rows = [json.loads(line) for path in paths for line in pathlib.Path(path).read_text().splitlines()]
    cells = {}
    for row in rows:
        cells.setdefault((row["claimed"], not row["honest"], row["cell"]), []).append(row)
    with TABLE.open("w", encoding="utf-8") as out:
        print(HEAD, file=out)
        claimed = list(dict.fromkeys(key[0] for key in cells))
        for (_, _, cell), answers in sorted(cells.items(), key=lambda item: (claimed.index(item[0][0]), item[0][1])):
            for row in answers:
                ratios = [f"{ratio:.2f}" for ratio in row["ratios"]]
                print(*[int(row["honest"]), row["tokens"], row["near"], row["far"], int(row["contradicts"]), *ratios,
                        round(1000 * row["generate_cpu_s"]), round(1000 * row["score_cpu_s"]), cell], sep=",", file=out)


def read():
    """Cell -> (honest, the most that each of its answers adds to a sum)."""
    cells = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        fields = line.split(",", 11)
        most = ANSWER_MAX if fields[4] == "1" else max(float(field) for field in fields[5:9])
        cells.setdefault(fields[11], (fields[0] == "1", []))[1].append(most)
    return cells


def place(value):
    return LEFT + PAD + (min(max(value, LEAST), MOST) - LEAST) / (MOST - LEAST) * WIDTH


def draw():
    cells = read()
    height = ROW * len(cells) + 3 * PAD
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 3 * PAD} {height}" '
           'font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT + PAD}" y="16">the largest ratio of each answer (blue: honest devices, red: others); at '
           f'{MOST}: that or more</text>']
    for value in range(LEAST, MOST + 1, 2):
        strong = value in (ALERT, ANSWER_MAX)
        out.append(f'<line x1="{place(value):.1f}" x2="{place(value):.1f}" y1="{PAD}" y2="{height - PAD}" '
                   f'stroke="{"black" if strong else "#ddd"}"/>')
        out.append(f'<text x="{place(value):.1f}" y="{height - 12}" text-anchor="middle">{value}</text>')
    for index, (cell, (honest, values)) in enumerate(cells.items()):
        y = PAD + ROW * (index + 0.5) + 4
        out.append(f'<text x="{LEFT}" y="{y + 4:.1f}" text-anchor="end">{escape(cell)}</text>')
        for value in values:
            out.append(f'<circle cx="{place(value):.1f}" cy="{y:.1f}" r="3.5" '
                       f'fill="{"#1f5fbf" if honest else "#c02020"}" fill-opacity="0.45"/>')
    return "\n".join([*out, "</svg>", ""])


def main():
    if sys.argv[1:2] == ["collect"]:
        collect(sys.argv[2:])
    picture = draw()
    if sys.argv[1:] == ["--check"]:
        if PICTURE.read_text(encoding="utf-8") != picture:
            print("docs/audits.svg is not up to date: run tools/audit/figures.py")
            return 1
        return 0
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
