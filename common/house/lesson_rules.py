#!/usr/bin/env python3
"""Rules for the lessons and the other documents, as far as a script can enforce them.

Run as:  lesson_rules.py TREE        exit status 1 and one line per broken rule
         lesson_rules.py --self-test checks this script on a made-up lesson that breaks every rule

A lesson is a file that docs/lessons.json lists.

  - a lesson has its mark (docs/write_lessons.py writes the opening line below it) and the parts in order. A page without a
    mine.cpp beside it may leave out "Ladder" and "Your rung"
  - a table of a lesson's main text has at most 8 rows; longer ones stand under <details> or in NOTES.md
  - in a lesson, a ```cpp fence that begins with the comment `// FILE` shows lines of this file, in their order
  - in a lesson, a question in "Try it" is followed by an answer that unfolds
  - in all documents, lines end at 120 columns. Tables, recorded output and lines with one long link may be longer
  - documents do not use the words that make a text hard to read for a learner, and use American spelling
"""

import json
import re
import sys
import tempfile
from pathlib import Path

PARTS = ["Why", "Idea", "Ladder", "Try it", "Your rung", "Further"]
OF_EXERCISES = {"Ladder", "Your rung"}
MAX_ROWS = 8
MAX_COLUMNS = 120
WORDS = re.compile(r"\b(whoever|somebody|nobody|likewise|so many|shall|told|dear|the house|himself|herself|his|wants|behind it|of these|"
                   r"as it lies|(?:\w*(?:quanti|normali|optimi|initiali|seriali|vectori|paralleli|tokeni|recogni|organi|summari)s(?:e|es|ed|ing|ation)\b)|"
                   r"colou?rs? of the house|colours?|behaviours?|neighbours?|neighbouring|favou?rite|catalogue|centre|grey)\b",
                   re.IGNORECASE)
ALLOWED = {"favorite"}


def generated_lines(lines):
    """The numbers of the lines that a script writes: those between a comment that is a mark and <!-- end -->."""
    numbers, start = set(), None
    for number, line in enumerate(lines, 1):
        if line.strip() == "<!-- end -->":
            numbers.update(range(start or number, number))
            start = None
        elif re.match(r"<!-- [a-z]", line):
            start = number
    return numbers


def blocks(text):
    """Yields (line number, line, kind, unfolded) for every line: kind is "text", "table", "generated", "code" or the language
    of a fence; unfolded is False inside <details>."""
    fence, language, details = None, "", 0
    lines = text.splitlines()
    generated = generated_lines(lines)
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if fence is not None:
            if stripped.startswith(fence):
                fence = None
                yield number, line, "fence", details == 0
            else:
                yield number, line, language or "code", details == 0
            continue
        if stripped.startswith(("```", "~~~")):
            fence, language = stripped[:3], stripped[3:].strip()
            yield number, line, "fence", details == 0
            continue
        details += stripped.count("<details") - stripped.count("</details")
        kind = "table" if stripped.startswith("|") else "generated" if number in generated else "code" if line.startswith("    ") else "text"
        yield number, line, kind, details == 0


def check_words(name, text):
    generated = generated_lines(text.splitlines())
    for number, line, kind, _ in blocks(text):
        if kind not in ("text", "table") or number in generated or line.startswith(">"):  # a quotation
            continue
        if kind == "text" and len(line) > MAX_COLUMNS and not line.lstrip().startswith(("<!--", "![", "*Lesson ")) and "](" not in line:
            yield f"{name}:{number}: {len(line)} columns; a line ends at {MAX_COLUMNS}"
        prose = re.sub(r"`[^`]*`|\]\([^)]*\)|\"[^\"]*\"|<!--.*?-->|\*Lesson .*", "", line)
        for word in WORDS.findall(prose):
            if word.lower() not in ALLOWED:
                yield f"{name}:{number}: '{word}'; a plainer or the standard term says more"


def check_tables(name, text):
    rows, start = 0, 0
    for number, line, kind, unfolded in [*blocks(text), (0, "", "text", True)]:
        if kind == "table" and unfolded:
            start = start or number
            rows += 1
            continue
        if rows - 2 > MAX_ROWS:
            yield f"{name}:{start}: a table of {rows - 2} rows; at most {MAX_ROWS} in the main text, longer ones under <details> or in NOTES.md"
        rows, start = 0, 0


def check_excerpts(tree, name, text):
    """Every ```cpp fence that names its file shows lines that this file has, in this order."""
    fences, current = [], None
    for number, line, kind, _ in blocks(text):
        if kind in ("cpp", "c++"):
            if current is None:
                current = (number, [])
                fences.append(current)
            current[1].append(line)
        elif kind == "fence":
            current = None
    for number, lines in fences:
        named = re.match(r"// ([\w./]+\.(?:cpp|hpp|cu|cuh|h))\s*$", lines[0])
        if not named:
            continue
        places = [(tree / name).parent / named[1], tree / named[1], tree / "common" / named[1]]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            yield f"{name}:{number}: the code is said to be in {named[1]}, which does not exist"
            continue
        source = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        at = 0
        for offset, line in enumerate(lines[1:], 1):
            wanted = line.strip()
            if not wanted or wanted in ("...", "// ..."):
                continue
            if wanted not in source[at:]:
                yield f"{name}:{number + offset}: {named[1]} does not have the line '{wanted}' here"
                break
            at = source.index(wanted, at) + 1


def check_questions(name, text):
    part, question = None, None
    for number, line, kind, unfolded in blocks(text):
        if kind == "text" and line.startswith("## "):
            part = line[3:].strip()
        if question and (line.startswith("#") or kind == "fence"):
            yield f"{name}:{question}: a question without an answer; <details><summary>Answer</summary> must follow its paragraph"
            question = None
        if "<details" in line:
            question = None
        elif part == "Try it" and kind == "text" and unfolded and line.rstrip().endswith("?"):
            question = question or number
    if question:
        yield f"{name}:{question}: a question without an answer; <details><summary>Answer</summary> must follow its paragraph"


def check_lesson(tree, name, text):
    if "<!-- lesson -->" not in text:
        yield f"{name}: a lesson has the mark <!-- lesson --> below its title"
    parts = [line[3:].strip() for _, line, kind, _ in blocks(text) if kind == "text" and line.startswith("## ")]
    parts = [part for part in parts if part in PARTS]
    exercise = ((tree / name).parent / "mine.cpp").is_file()
    wanted = [part for part in PARTS if exercise or part not in OF_EXERCISES or part in parts]
    if parts != wanted:
        yield f"{name}: a lesson has the parts {', '.join(wanted)}, in this order; found: {', '.join(parts)}"
    yield from check_tables(name, text)
    yield from check_excerpts(tree, name, text)
    yield from check_questions(name, text)


def documents(tree):
    return sorted([tree / "README.md", tree / "CONTRIBUTING.md", *tree.glob("docs/*.md"), *tree.glob("0[1-8]_*/**/*.md"),
                   *tree.glob("models/**/*.md"), *tree.glob("common/**/*.md")])


def check(tree):
    tree = Path(tree).resolve()
    lessons = [lesson["file"] for lesson in json.loads((tree / "docs/lessons.json").read_text(encoding="utf-8"))]
    problems = []
    for file in documents(tree):
        if not file.is_file():
            continue
        name, text = str(file.relative_to(tree)), file.read_text(encoding="utf-8")
        problems += check_words(name, text)
        if name in lessons:
            problems += check_lesson(tree, name, text)
    return problems, len(lessons)


def self_test():
    sound = ("# X\n<!-- lesson -->\n## Why\n## Idea\n```cpp\n// x.cpp\nint a;\n// ...\nint c;\n```\n## Ladder\n"
             + "| a |\n|---|\n" + "| 1 |\n" * 8
             + "<details><summary>More</summary>\n\n| a |\n|---|\n" + "| 1 |\n" * 9 + "\n</details>\n"
             + "## Try it\n```console\n$ rung x\n" + "wide " * 40 + "\n```\nWhy?\n\n<details><summary>Answer</summary>\n\nSo.\n\n</details>\n"
             + "<!-- measured: x -->\n" + "word " * 30 + "\n<!-- end -->\n## Your rung\nIt quantizes. `whoever` is code.\n## Further\n")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        (tree / "docs").mkdir()
        (tree / "01_a/x").mkdir(parents=True)
        (tree / "docs/lessons.json").write_text(json.dumps([{"file": "01_a/x/README.md"}]))
        (tree / "01_a/x/x.cpp").write_text("int a;\nint b;\nint c;\n")
        (tree / "01_a/x/mine.cpp").write_text("")
        lesson = tree / "01_a/x/README.md"
        lesson.write_text(sound)
        assert check(tree)[0] == [], check(tree)[0]
        for old, new, reason in [("<!-- lesson -->\n", "", "the mark"), ("## Why\n", "", "in this order"), ("## Further", "## Ladder", "in this order"),
                                 ("| 1 |\n" * 8 + "<", "| 1 |\n" * 9 + "<", "a table of 9 rows"), ("int c;", "int b2;", "does not have the line"),
                                 ("int a;\n// ...\nint c;", "int c;\nint a;", "does not have the line"), ("// x.cpp", "// y.cpp", "does not exist"),
                                 ("<details><summary>Answer", "<b>Answer", "without an answer"), ("quantizes", "quantises", "plainer"),
                                 ("It quantizes", "Whoever reads", "plainer"), ("It quantizes", "word " * 30, "columns")]:
            assert old in sound, old
            lesson.write_text(sound.replace(old, new))
            assert any(reason in problem for problem in check(tree)[0]), (old, check(tree)[0])
    print("lesson_rules.py finds each of 11 broken rules in a made-up lesson, and none in a sound one")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 2:
        print("usage: lesson_rules.py TREE | --self-test", file=sys.stderr)
        return 2
    problems, count = check(sys.argv[1])
    print("\n".join(problems) or f"{count} lessons keep the rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
