#!/usr/bin/env python3
"""Checks what the scripts of the lessons share, tools/lessons, and that every script finds it from any folder.

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


def check_results(lessons, folder):
    """--out and --update decide where results and tables go, and one of them is required."""
    topic = folder / "topic"
    (topic / "results").mkdir(parents=True)
    (topic / "results" / "x.json").write_text('{"rows": []}')
    (topic / "README.md").write_text("<!-- t -->\nold\n<!-- end -->\n")
    script = topic / "measure.py"
    script.write_text(f"""import sys
sys.path.insert(0, {str(Path(lessons.__file__).parents[1])!r})
from lessons import Results, lesson_main, read_json, save_rows, write_between
RESULTS = Results(__file__)
def measure(a):
    save_rows(RESULTS / "y.json", [1])
def report(a):
    write_between(RESULTS.document(), "t", [str(read_json(RESULTS / "x.json")["rows"])])
lesson_main("text", measure, report, results=RESULTS, rung=False)
""")

    def run(*arguments):
        return subprocess.run([sys.executable, "-B", script, *arguments], capture_output=True, text=True, check=False)

    for arguments in ((), ("--update", "--out", folder / "a")):
        done = run(*arguments)
        assert done.returncode == 2 and "say where the results go: --out FOLDER, or --update" in done.stderr, done
    assert run("--out", folder / "a").returncode == 0
    assert (folder / "a/y.json").exists() and (folder / "a/x.json").exists() and not (topic / "results/y.json").exists()
    assert (folder / "a/tables.md").read_text() == "<!-- t -->\n[]\n<!-- end -->\n\n" and "old" in (topic / "README.md").read_text()
    assert run("--out", folder / "b", "--plot").returncode == 0 and not (folder / "b/y.json").exists()
    assert run("--update").returncode == 0
    assert (topic / "results/y.json").exists() and "old" not in (topic / "README.md").read_text()


def check_style(tree, folder):
    """All colors are those of tools/lessons/pictures.py, which has a counterpart of each for dark pages."""
    from lessons import pictures

    for color in [*pictures.COLORS, *pictures.TINTS, pictures.INK, pictures.MUTED, pictures.GRID, pictures.PAPER, pictures.FILL]:
        assert color in pictures.DARK, color
    scripts = [*tree.glob("0[1-8]_*/*/*.py"), *tree.glob("docs/*.py"), *tree.glob("tools/lessons/*.py"), tree / "models/train/train.py"]
    for script in scripts:
        if script.name == "pictures.py":
            continue
        found = re.findall(r"#[0-9a-fA-F]{6}\b", script.read_text(encoding="utf-8"))
        assert not found, f"{script.relative_to(tree)} has the colors {found}; take them from tools/lessons/pictures.py"
    picture = folder / "x.svg"
    picture.write_text('<svg width="1">\n<path style="fill: #222222"/></svg>')
    pictures.follow_page(picture)
    text = picture.read_text()
    assert text.startswith('<svg width="1">\n <style>@media (prefers-color-scheme: dark)') and text.count("<style>") == 1, text
    for svg in [*tree.glob("0[1-8]_*/*/results/*.svg"), *tree.glob("docs/*.svg"), *tree.glob("models/train/*.svg")]:
        assert "prefers-color-scheme: dark" in svg.read_text(encoding="utf-8"), f"{svg.relative_to(tree)} does not follow a dark page"


def main():
    tree = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(tree / "tools"))
    import lessons

    with tempfile.TemporaryDirectory() as name:
        for check in (check_records, check_tables, check_programs, check_results):
            check(lessons, Path(name))
        check_style(tree, Path(name))
        scripts = sorted([*tree.glob("0[1-8]_*/*/measure.py"), *tree.glob("0[1-8]_*/*/plot.py")])
        for script in scripts:
            done = subprocess.run([sys.executable, "-B", script, "--help"], cwd=name, capture_output=True, text=True)
            assert done.returncode == 0 and "usage:" in done.stdout, f"{script} --help: {done.stderr}"
    assert len(scripts) > 5, json.dumps([str(s) for s in scripts])
    print(f"tools/lessons reads, writes and runs; {len(scripts)} scripts find it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
