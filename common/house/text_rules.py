#!/usr/bin/env python3
"""Rules for the files of the tree that no compiler checks.

Run as:  text_rules.py TREE        exit status 1 and one line per broken rule
         text_rules.py --self-test checks this script on a made-up tree that breaks every rule

  - no source or text file over 600 lines, no file over 4 MB but the models that were there before this rule, and all files
    together at most 80 MB: a clone with its history must stay under 120 MB
  - a topic folder (one whose CMakeLists.txt calls rung_topic) has all its files (lesson_rules.py reads its lesson)
  - no absolute paths of somebody's machine
  - relative links in Markdown lead to a file
"""

import re
import sys
import tempfile
from pathlib import Path

from tree_files import tree_files

MAX_LINES = 600
MAX_BYTES = 4 * 1000 * 1000
MAX_TREE_BYTES = 80 * 1000 * 1000
OLD_MODELS = {f"models/{name}" for name in ("moe/model.safetensors", "tiny.gguf", "tiny/model.safetensors", "tiny-mha.gguf")}
TEXT = {".cpp", ".hpp", ".h", ".cu", ".cuh", ".py", ".sh", ".cmake", ".md", ".in"}
TEXT_NAMES = {"CMakeLists.txt", "CMakePresets.json", ".clang-tidy", ".clang-format", "run"}
TOPIC_FILES = ["README.md", "mine.cpp", "trials.cpp", "register.cpp", "test.cpp", "bench.cpp"]
MACHINE_PATH = re.compile(r"(?<![\w./~$}-])/(?:work|home|root|Users|mnt|tmp)/[\w.-]+")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def check_topic(tree, folder):
    for name in TOPIC_FILES:
        if not (tree / folder / name).is_file():
            yield f"{folder}: a topic has a {name} (see CONTRIBUTING.md)"


def check(tree):
    tree = Path(tree).resolve()
    problems = []
    bytes_of_tree = 0
    files = tree_files(tree)
    for file in files:
        path = tree / file
        size = path.stat().st_size
        bytes_of_tree += size
        if size > MAX_BYTES and str(file) not in OLD_MODELS:
            problems.append(f"{file}: {size} bytes; at most {MAX_BYTES} are committed")
        if file.suffix not in TEXT and file.name not in TEXT_NAMES:
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        if len(lines) > MAX_LINES:
            problems.append(f"{file}: {len(lines)} lines; at most {MAX_LINES}, one idea per file")
        for number, line in enumerate(lines, 1):
            found = MACHINE_PATH.search(line)
            if found and file.name != "text_rules.py":
                problems.append(f"{file}:{number}: {found.group()} is a path of one machine")
        if file.suffix == ".md":
            for link in LINK.findall(text):
                target = link.split("#")[0]
                if target and ":" not in target and not (path.parent / target).exists():
                    problems.append(f"{file}: the link {link} leads nowhere")
        if file.name == "CMakeLists.txt" and re.search(r"^\s*rung_topic\(", text, re.MULTILINE):
            problems.extend(check_topic(tree, file.parent))
    if bytes_of_tree > MAX_TREE_BYTES:
        problems.append(f"all files: {bytes_of_tree} bytes; at most {MAX_TREE_BYTES} are committed")
    return problems, len(files)


def self_test():
    def write(tree, name, text):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)

    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        write(tree, "03_techniques/x/CMakeLists.txt", "rung_topic(CHAPTER 3 NAME x)\n")
        for name in TOPIC_FILES:
            write(tree, f"03_techniques/x/{name}", "")
        write(tree, "03_techniques/x/README.md", "[the test](test.cpp#L1) and [a paper](https://arxiv.org)\n")
        write(tree, "a.cpp", "// see ../shared/data and ${HOME}/tmp/x\n" * MAX_LINES)
        assert check(tree)[0] == [], check(tree)[0]

        write(tree, "long.cpp", "\n" * (MAX_LINES + 1))
        write(tree, "where.py", "open('/home/" + "someone/x')\n")
        write(tree, "docs/a.md", "[gone](gone.md)\n")
        write(tree, "big.bin", "x" * (MAX_BYTES + 1))
        write(tree, "03_techniques/y/CMakeLists.txt", "rung_topic(CHAPTER 3 NAME y)\n")
        for name in TOPIC_FILES[1:-1]:
            write(tree, f"03_techniques/y/{name}", "")
        write(tree, "03_techniques/y/README.md", "# Y\n")
        problems = check(tree)[0]
        for name, reason in [("long.cpp", "601 lines"), ("where.py:1", "path of one machine"),
                             ("docs/a.md", "leads nowhere"), ("big.bin", "bytes"),
                             ("03_techniques/y", "bench.cpp")]:
            assert any(p.startswith(name) and reason in p for p in problems), (name, reason, problems)
        assert len(problems) == 5, problems
    print("text_rules.py finds each of 5 broken rules in a made-up tree, and none in a sound one")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 2:
        print("usage: text_rules.py TREE | --self-test", file=sys.stderr)
        return 2
    problems, count = check(sys.argv[1])
    print("\n".join(problems) or f"{count} files keep the rules")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
