#!/usr/bin/env python3
"""Checks what the scripts of the lessons share, tools/lessons, that every script finds it from any folder, and that no
script writes into the repository by itself or has colors of its own.

Run as:  lesson_scripts.py TREE
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def check_records(lessons, folder):
    file = folder / "results" / "x.json"
    assert lessons.read_json(file, {"rows": []}) == {"rows": []}
    for one_line, lines in ((False, 6), (True, 4)):
        lessons.save_rows(file, [{"a": 1}, {"a": 2}], one_line, model="tiny", runs=3)
        assert lessons.read_json(file) == {"model": "tiny", "runs": 3, "rows": [{"a": 1}, {"a": 2}]}
        assert len(file.read_text().splitlines()) == lines, file.read_text()


def check_tables(lessons, folder):
    lesson = folder / "README.md"
    lesson.write_text("before\n<!-- one -->\nold\n<!-- end -->\n<!-- two -->\nkept\n<!-- end -->\n")
    lessons.write_between(lesson, "one", ["| a |", ""])
    lessons.write_between(lesson, "absent", ["x"])
    assert lesson.read_text() == "before\n<!-- one -->\n| a |\n\n<!-- end -->\n<!-- two -->\nkept\n<!-- end -->\n"


def check_programs(lessons, folder):
    program = folder / "rung"
    program.write_text(f"#!{sys.executable}\nimport json, sys\nif 'bad' in sys.argv: sys.exit('no such thing')\n"
                       "print(json.dumps({'words': sys.argv[1:]}))\n")
    program.chmod(0o755)
    assert lessons.ask(program, "bench", "-n", 3) == {"words": ["bench", "-n", "3", "--json"]}
    runs = lessons.interleaved(program, "m", {"x": ["-r", 1], "y": lambda turn: ["-r", turn]}, 2, lambda run: "")
    assert [r["words"][4] for r in runs["y"]] == ["0", "1"] and len(runs["x"]) == 2
    assert lessons.middle([3, 1, 2], lambda v: v) == 2 and lessons.middle([1, 2], lambda v: v) == 2
    for command, sentence in ((("bad",), "no such thing"), (("gone",), "cannot be run")):
        try:
            lessons.run(folder / "gone" if command == ("gone",) else program, *command)
        except SystemExit as error:
            assert sentence in str(error), error
        else:
            raise AssertionError(f"{command} did not fail")


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tools!r})
from lessons import UsageError, lesson_main, save_rows

def measure(a):
    if a.bad:
        raise UsageError("bad is bad")
    rows = a.results.before("x.json", {{"rows": []}})["rows"]
    save_rows(a.out / "x.json", rows + [len(rows)])

def report(a):
    a.results.write_table("x", ["| " + str(a.results.read("x.json")) + " |", "![p](results/p.svg)"])

lesson_main("text", measure, report, rung=False, update={update},
            options=lambda parser: parser.add_argument("--bad", action="store_true"))
"""


def check_lesson_main(lessons, folder):
    lesson = folder / "lesson"
    lesson.mkdir()
    script, readme, own = lesson / "measure.py", lesson / "README.md", lesson / "results" / "x.json"
    tools = str(Path(lessons.__file__).parents[1])

    def run(*words):
        done = subprocess.run([sys.executable, "-B", script, *words], cwd=folder, capture_output=True, text=True)
        return done.returncode, done.stderr

    script.write_text(SCRIPT.format(tools=tools, update=True))
    empty = "<!-- x -->\n<!-- end -->\n"
    readme.write_text(empty)
    for words, sentence in (((), "say where the results go: --out FOLDER"), (("--plot",), "--update replaces"),
                            (("--out", "mine", "--update"), "choose one of them"),
                            (("--update", "--bad"), "bad is bad")):
        status, said = run(*words)
        assert status == 2 and sentence in said, (words, status, said)
    assert not own.exists() and not (folder / "mine").exists()

    # --update writes the lesson's results and tables; --out leaves both alone.
    assert run("--update") == (0, "")
    assert lessons.read_json(own) == {"rows": [0]} and "| {'rows': [0]} |" in readme.read_text()
    written = readme.read_text()
    assert run("--update")[0] == 0 and lessons.read_json(own) == {"rows": [0, 1]}
    assert readme.read_text() != written
    written = readme.read_text()
    # --plot reads the repository's results as long as the folder has none.
    assert run("--plot", "-o", "mine")[0] == 0
    assert "[0, 1]" in (folder / "mine" / "tables.md").read_text() and not (folder / "mine" / "x.json").exists()
    assert run("-o", "mine")[0] == 0 and run("--plot", "-o", "mine")[0] == 0
    assert lessons.read_json(folder / "mine" / "x.json") == {"rows": [0]}
    table = (folder / "mine" / "tables.md").read_text()
    assert table == "## x\n\n| {'rows': [0]} |\n![p](p.svg)\n", table
    assert readme.read_text() == written and lessons.read_json(own) == {"rows": [0, 1]}

    script.write_text(SCRIPT.format(tools=tools, update=False))
    status, said = run()
    assert status == 2 and "--out FOLDER" in said, said
    assert run("--update")[0] == 2


def check_pictures(lessons, folder):
    from lessons import pictures

    for color in (*pictures.COLORS, *pictures.TINTS, pictures.INK, pictures.MUTED, pictures.GRID, pictures.PAPER,
                  pictures.SHADE, pictures.FILL):
        assert re.fullmatch("#[0-9a-f]{6}", color) and color in pictures.DARK, f"{color} has no color for dark pages"
    assert len(set(pictures.DARK.values())) == len(pictures.DARK)
    assert len(pictures.COLORS) == len(pictures.MARKERS) == len(pictures.HATCHES)
    drawn = folder / "drawn.svg"
    drawn.write_text(f'<?xml version="1.0"?>\n<svg width="1"\n height="1">\n<g style="fill: {pictures.INK}"/>'
                     f'<path fill="{pictures.PAPER}" d="M 1.23456 7.8 L 9.999999 1"/>\n</svg>\n')
    drawn.write_text(pictures.follow_page(pictures.shorten(drawn.read_text(encoding="utf-8"))), encoding="utf-8")
    text = drawn.read_text()
    head, sheet, rest = re.fullmatch(r'(.*height="1">)\n <style>(.*)</style>(.*)', text, re.DOTALL).groups()
    assert sheet.startswith("@media (prefers-color-scheme: dark){") and sheet.endswith("}}"), sheet
    for light in (pictures.INK, pictures.PAPER):
        rule = f'[style*="fill: {light}"],[fill="{light}"]{{fill:{pictures.DARK[light]} !important}}'
        assert rule in sheet and rule.replace("fill", "stroke") in sheet, sheet
    assert 'd="M 1.23 7.8 L 9.99 1"' in rest and pictures.GRID not in text, text
    try:
        plt = lessons.pyplot()
    except SystemExit as error:
        assert "needs matplotlib" in str(error), error
        print("matplotlib is not installed: no picture was drawn")
        return
    figure, axis = plt.subplots()
    axis.plot([1, 2], [3, 4])
    lessons.caption(figure, "made by a test")
    lessons.save_picture(figure, folder / "deep" / "line")
    text = (folder / "deep" / "line.svg").read_text()
    assert "prefers-color-scheme" in text and "made by a test" in text and (folder / "deep" / "line.png").is_file()


def check_colors(tree):
    """No script that draws has a color of its own, because save_picture() would not exchange it for a dark page."""
    scripts = [file for pattern in ("0[1-8]_*/*/*.py", "docs/*.py", "models/train/*.py") for file in tree.glob(pattern)]
    for script in scripts:
        found = re.search("#[0-9a-fA-F]{6}\\b", script.read_text(encoding="utf-8"))
        assert not found, f"{script.relative_to(tree)} has the color {found[0]}; use one of tools/lessons/pictures.py"
    assert len(scripts) > 20, scripts


def check_svgs(tree):
    """Every picture of the repository follows the page from light to dark, and is small."""
    drawn = [file for pattern in ("0[1-8]_*/*/results/*.svg", "docs/*.svg", "models/train/*.svg")
             for file in tree.glob(pattern)]
    for file in drawn:
        text = file.read_text(encoding="utf-8")
        assert "prefers-color-scheme: dark" in text, f"{file.relative_to(tree)} does not follow a dark page; redraw it"
        assert len(text) <= 120_000, f"{file.relative_to(tree)} has {len(text)} bytes; the limit is 120,000"
    assert len(drawn) > 10, drawn


def main():
    tree = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(tree / "tools"))
    import lessons

    with tempfile.TemporaryDirectory() as name:
        for check in (check_records, check_tables, check_programs, check_lesson_main, check_pictures):
            check(lessons, Path(name))
        scripts = sorted([*tree.glob("0[1-8]_*/*/measure.py"), *tree.glob("0[1-8]_*/*/plot.py")])
        for script in scripts:
            done = subprocess.run([sys.executable, "-B", script, "--help"], cwd=name, capture_output=True, text=True)
            assert done.returncode == 0 and "usage:" in done.stdout, f"{script} --help: {done.stderr}"
            assert "--out FOLDER" in done.stdout, f"{script} has no --out; its results go where the user says"
    check_colors(tree)
    check_svgs(tree)
    assert len(scripts) > 5, json.dumps([str(s) for s in scripts])
    print(f"tools/lessons reads, writes and runs; {len(scripts)} scripts find it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
