#!/usr/bin/env python3
"""Writes what every lesson says about the order of the lessons, from docs/lessons.json, the list of all of them:

  - the opening line of each lesson, below its mark <!-- lesson -->: its number, what to read first, how long it takes, what
    comes next
  - the tables of docs/learning_path.md, between <!-- lessons: CHAPTER --> or <!-- track: NAME --> and <!-- end -->
  - docs/lessons.dot, the map of what each lesson needs, and the picture docs/lessons.svg (with --picture; needs graphviz)

Run as:  write_lessons.py [--picture]
         write_lessons.py --check       exit status 1 if something is not as lessons.json has it, or if the list is wrong
         write_lessons.py --self-test   checks this script
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
from lessons import INK, MUTED, PAPER, TINTS, follow_page  # noqa: E402

MARK = "<!-- lesson -->\n"
TRACKS = {
    "serving": ("Serving engineer", ["0", "1.1", "1.2", "1.3", "2.3", "3.6", "3.7", "3.8", "3.9", "6.1", "6.2", "6.3"]),
    "kernels": ("Kernel engineer", ["0", "1.1", "3.1", "3.2", "3.3", "3.10", "3.11", "3.12", "3.13"]),
    "weekend": ("One weekend", ["0", "1.1", "1.2", "3.1", "3.3", "3.6"]),
}


def chapter_of(lesson):
    """The digit of the lesson's folder: lesson 0 is in chapter 01."""
    return lesson["file"][1]


def problems_of(lessons, tree):
    """One sentence for everything that is wrong with the list itself."""
    seen = []
    for lesson in lessons:
        number = lesson["number"]
        file = tree / lesson["file"]
        if not file.is_file():
            yield f"docs/lessons.json: lesson {number} is {lesson['file']}, which does not exist"
        elif MARK not in file.read_text(encoding="utf-8"):
            yield f"{lesson['file']}: the mark {MARK.strip()} must stand below the title"
        for need in lesson["needs"]:
            if need not in seen:
                yield f"docs/lessons.json: lesson {number} needs {need}, which does not come before it"
        seen.append(number)
    listed = {lesson["file"] for lesson in lessons}
    for folder in sorted(tree.glob("0[1-8]_*/*")):
        readme = folder.relative_to(tree) / "README.md"
        if (tree / readme).is_file() and str(readme) not in listed:
            yield f"{readme}: docs/lessons.json does not list this lesson"
    for name, (_, numbers) in TRACKS.items():
        track = [lesson for lesson in lessons if lesson["number"] in numbers]
        for lesson in track:
            for need in lesson["needs"]:
                if need not in numbers:
                    yield f"docs/write_lessons.py: the track {name} has lesson {lesson['number']}, but not {need}, which it needs"
        if len(track) != len(numbers):
            yield f"docs/write_lessons.py: the track {name} has a lesson that does not exist"


def link(lesson, folder, short=False):
    text = lesson["number"] if short else f"{lesson['number']} {lesson['title']}"
    return f"[{text}]({os.path.relpath(lesson['file'], folder)})"


def opening(lessons, i):
    """The line that a lesson opens with."""
    lesson = lessons[i]
    folder = os.path.dirname(lesson["file"])
    by_number = {each["number"]: each for each in lessons}
    needs = ", ".join(link(by_number[need], folder) for need in lesson["needs"]) or "nothing"
    following = link(lessons[i + 1], folder) if i + 1 < len(lessons) else "the [learning path](" + os.path.relpath("docs/learning_path.md", folder) + ")"
    return f"*Lesson {lesson['number']} · read first: {needs} · about {lesson['minutes']} minutes · next: {following}*"


def with_opening(text, line):
    before, after = text.split(MARK, 1)
    after = after.lstrip("\n")
    if after.startswith("*Lesson "):
        after = after.split("\n", 1)[1].lstrip("\n")
    return f"{before}{MARK}\n{line}\n\n{after}"


def table(lessons):
    rows = ["| lesson | what you can explain afterwards | minutes |", "|---|---|---:|"]
    rows += [f"| {link(lesson, 'docs')} | {lesson['explains']} | {lesson['minutes']} |" for lesson in lessons]
    return "\n".join(rows) + "\n"


def with_tables(text, lessons):
    def chapter(match):
        return match[1] + "\n" + table([each for each in lessons if chapter_of(each) == match[2]]) + "\n<!-- end -->"

    def track(match):
        title, numbers = TRACKS[match[2]]
        chosen = [each for each in lessons if each["number"] in numbers]
        hours = sum(each["minutes"] for each in chosen) / 60
        names = " → ".join(link(each, "docs") for each in chosen)
        return f"{match[1]}\n**{title}** (about {hours:.0f} hours): {names}\n\n<!-- end -->"

    text = re.sub(r"(<!-- lessons: (\d) -->\n).*?<!-- end -->", chapter, text, flags=re.DOTALL)
    return re.sub(r"(<!-- track: (\w+) -->\n).*?<!-- end -->", track, text, flags=re.DOTALL)


def graph(lessons):
    """The map as text for graphviz: an arrow from each lesson to those that need it."""
    lines = ["digraph lessons {", f'  rankdir=LR; ranksep=0.5; nodesep=0.12; bgcolor="{PAPER}";',
             f'  node [shape=box, style="rounded,filled", color="{MUTED}", fontname="Helvetica", fontcolor="{INK}",',
             '        fontsize=12, margin="0.12,0.05"];', f'  edge [color="{MUTED}", arrowsize=0.6];']
    colors = dict(zip("1236", TINTS))
    for lesson in lessons:
        color = TINTS[4] if lesson["number"] == "0" else colors.get(chapter_of(lesson), PAPER)
        lines.append(f'  "{lesson["number"]}" [label="{lesson["number"]}  {lesson["title"]}", fillcolor="{color}"];')
    for lesson in lessons:
        lines += [f'  "{need}" -> "{lesson["number"]}";' for need in lesson["needs"]]
    return "\n".join(lines) + "\n}\n"


def texts(tree, lessons):
    """Yields (file, the text that it should have)."""
    for i, lesson in enumerate(lessons):
        file = tree / lesson["file"]
        yield file, with_opening(file.read_text(encoding="utf-8"), opening(lessons, i))
    path = tree / "docs" / "learning_path.md"
    yield path, with_tables(path.read_text(encoding="utf-8"), lessons)
    yield tree / "docs" / "lessons.dot", graph(lessons)


def picture_problems(tree, lessons):
    drawn = tree / "docs" / "lessons.svg"
    text = drawn.read_text(encoding="utf-8") if drawn.is_file() else ""
    for lesson in lessons:
        # graphviz writes an edge as <title>1.1&#45;&gt;3.1</title>
        if f"<title>{lesson['number']}</title>" not in text or lesson["title"].split(":")[0] not in text:
            yield f"docs/lessons.svg does not show lesson {lesson['number']}; run docs/write_lessons.py --picture"
        for need in lesson["needs"]:
            if f"<title>{need}&#45;&gt;{lesson['number']}</title>" not in text:
                yield f"docs/lessons.svg has no arrow from {need} to {lesson['number']}; run docs/write_lessons.py --picture"


def run(tree, check, picture):
    lessons = json.loads((tree / "docs" / "lessons.json").read_text(encoding="utf-8"))
    problems = list(problems_of(lessons, tree))
    if not problems:
        for file, text in texts(tree, lessons):
            if file.is_file() and file.read_text(encoding="utf-8") == text:
                continue
            if check:
                problems.append(f"{file.relative_to(tree)}: not as docs/lessons.json has it; run docs/write_lessons.py")
            else:
                file.write_text(text, encoding="utf-8")
        if picture:
            drawn = tree / "docs" / "lessons.svg"
            try:
                subprocess.run(["dot", "-Tsvg", "-o", drawn, tree / "docs" / "lessons.dot"], check=True)
            except OSError as error:
                raise SystemExit("drawing needs graphviz; install it with `apt-get install graphviz`") from error
            drawn.write_text(follow_page(drawn.read_text(encoding="utf-8")), encoding="utf-8")
        if check:
            problems += picture_problems(tree, lessons)
    print("\n".join(problems) or f"{len(lessons)} lessons in one order")
    return 1 if problems else 0


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        lessons = [{"number": number, "file": f"0{chapter}_x/{name}/README.md", "title": name.title(), "minutes": 30, "needs": needs,
                    "explains": f"what {name} is"}
                   for number, chapter, name, needs in (("0", 1, "one", []), ("1.1", 1, "two", ["0"]), ("3.1", 3, "three", ["0", "1.1"]))]
        TRACKS.clear()
        TRACKS["all"] = ("All", ["0", "1.1", "3.1"])
        (tree / "docs").mkdir()
        (tree / "docs/lessons.json").write_text(json.dumps(lessons))
        (tree / "docs/learning_path.md").write_text("<!-- lessons: 1 -->\nold\n<!-- end -->\n<!-- track: all -->\n<!-- end -->\n")
        for lesson in lessons:
            (tree / lesson["file"]).parent.mkdir(parents=True)
            (tree / lesson["file"]).write_text(f"# {lesson['title']}\n{MARK}\ntext\n")
        assert run(tree, True, False) == 1 and run(tree, False, False) == 0
        second = (tree / "01_x/two/README.md").read_text()
        assert second == ("# Two\n<!-- lesson -->\n\n*Lesson 1.1 · read first: [0 One](../one/README.md) · about 30 minutes · "
                          "next: [3.1 Three](../../03_x/three/README.md)*\n\ntext\n"), second
        path = (tree / "docs/learning_path.md").read_text()
        assert "| [1.1 Two](../01_x/two/README.md) | what two is | 30 |" in path and "**All** (about 2 hours)" in path, path
        edges = "".join(f"<title>{n}&#45;&gt;{each['number']}</title>" for each in lessons for n in each["needs"])
        nodes = "".join(f"<title>{each['number']}</title>{each['title']}" for each in lessons)
        (tree / "docs/lessons.svg").write_text(nodes + edges)
        assert run(tree, True, False) == 0
        (tree / "docs/lessons.svg").write_text(nodes)
        assert run(tree, True, False) == 1
        TRACKS["all"][1].remove("1.1")
        assert any("not 1.1" in problem for problem in problems_of(lessons, tree))
        lessons[1]["needs"] = ["3.1"]
        (tree / "03_x/four").mkdir()
        (tree / "03_x/four/README.md").write_text("# Four\n")
        found = list(problems_of(lessons, tree))
        assert any("does not come before" in problem for problem in found) and any("does not list" in problem for problem in found), found
    print("write_lessons.py writes the order of a made-up list of lessons, and finds what is wrong with it")


def main():
    parser = argparse.ArgumentParser(description="Writes what every lesson says about the order of the lessons.")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--picture", action="store_true", help="draw docs/lessons.svg, too (needs graphviz)")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    return run(ROOT, arguments.check, arguments.picture)


if __name__ == "__main__":
    sys.exit(main())
