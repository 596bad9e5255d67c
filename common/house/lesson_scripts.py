#!/usr/bin/env python3
"""Checks what the scripts of the lessons share, tools/lessons, and that every script finds it from any folder.

Run as:  lesson_scripts.py TREE
"""

import json
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


def main():
    tree = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(tree / "tools"))
    import lessons

    with tempfile.TemporaryDirectory() as name:
        for check in (check_records, check_tables, check_programs):
            check(lessons, Path(name))
        scripts = sorted([*tree.glob("0[1-8]_*/*/measure.py"), *tree.glob("0[1-8]_*/*/plot.py")])
        for script in scripts:
            done = subprocess.run([sys.executable, "-B", script, "--help"], cwd=name, capture_output=True, text=True)
            assert done.returncode == 0 and "usage:" in done.stdout, f"{script} --help: {done.stderr}"
    assert len(scripts) > 5, json.dumps([str(s) for s in scripts])
    print(f"tools/lessons reads, writes and runs; {len(scripts)} scripts find it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
