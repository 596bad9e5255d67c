#!/usr/bin/env python3
"""Runs the commands that the documents show, and compares what they print with the recorded output.

A command is a line of a code block (fenced, or indented by four spaces) that begins with `rung ` or
`build/bin/rung `, with or without a `$ ` before it. A line that begins with `./run.sh ` is one too if it names the rung
`mine`. It must exit with status 0, or with N where its line ends in a comment that says `exit status N`; a command that
names the rung `mine` may also say that mine.cpp is not started. Commands of one document run in its order, in a scratch
folder that looks like the repository's root, so a file that one writes is there for the next. A comment before a code
block leaves the block out:

    <!-- not run: it asks for a password -->

In a block that is fenced as `console`, lines with a `$ ` are commands, and the lines below a command are its recorded
output, which the command must print again. A comment before the block relaxes the comparison:

    <!-- varies: numbers -->      numbers, their units and the space between columns may differ
    <!-- varies -->               nothing is compared; what is recorded is an example

Run as:  run_doc_commands.py TREE BIN SCRATCH [--shared DIR] [--list] [--timeout SECONDS] [--record] [DOCUMENT ...]
         run_doc_commands.py --self-test

With --record, the recorded output of the documents is replaced by what the commands print now. With documents, only
these are read.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MARK = re.compile(r"<!--\s*(not run|varies)(?::\s*(.+?))?\s*-->")
COMMAND = re.compile(r"^(?:\$ )?((?:build/bin/)?rung(?: .*)?|\./run\.sh (?=.*\bmine\b).*)$")
STATUS = re.compile(r"#.*\bexit status (\d+)\s*$")
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?(?: ?(?:[numkMGT]?s|µs|[kMGTP]?i?B|KB)(?:/s)?\b)?")
PROGRESS = re.compile(r"[\w -]+: +\d+ %(, about \d+ s left)?")


@dataclass
class Command:
    line: int  # the number of its line in the document, from 1
    text: str
    status: int  # the exit status that it must have
    skip: str | None = None  # why it is not run
    varies: str | None = None  # None: its output is compared exactly; "numbers"; "all"
    output: tuple[int, int] | None = None  # the lines of its recorded output, from (first, behind the last), from 0


def code_blocks(text):
    """Yields (marks, language, [(line number, line)]) for every code block of a Markdown text. `marks` has the comments
    before the block: {"not run": reason, "varies": what}. The language is None for an indented block."""
    marks, block, fence, language, blank = {}, [], None, None, True
    for number, line in enumerate([*text.splitlines(), ""], 1):
        stripped = line.strip()
        if fence is not None:
            if stripped.startswith(fence):
                yield marks, language, block
                marks, block, fence = {}, [], None
            else:
                block.append((number, line if language == "console" else stripped))
            continue
        indented = line.startswith(("    ", "\t")) and stripped and (blank or block)
        if indented:
            block.append((number, stripped))
            continue
        if block and stripped:
            yield marks, None, block
            marks, block = {}, []
        if stripped.startswith(("```", "~~~")):
            fence, language = stripped[:3], stripped[3:].strip()
        elif MARK.search(line):
            kind, what = MARK.search(line).groups()
            marks[kind] = what or "all"
        elif stripped:
            marks = {}
        blank = not stripped
    if block:
        yield marks, None, block


def commands_of(text):
    """Yields every Command of a Markdown text."""
    for marks, language, block in code_blocks(text):
        console = language == "console"
        joined = []
        for number, line in block:
            if joined and joined[-1][1].endswith("\\"):
                joined[-1] = (joined[-1][0], joined[-1][1][:-1] + " " + line.strip(), number)
            else:
                joined.append((number, line, number))
        starts = [i for i, (_, line, _) in enumerate(joined) if line.startswith("$ ")]
        for i, (number, line, last) in enumerate(joined):
            match = COMMAND.match(line)
            if not match or (console and i not in starts):
                continue
            status = STATUS.search(line)
            shown = re.sub(r"^\./run\.sh", "rung", match.group(1))  # which builds the program first
            command = Command(number, shown, int(status.group(1)) if status else 0, marks.get("not run"))
            if console:
                following = [s for s in starts if s > i]
                end = joined[following[0]][0] - 1 if following else block[-1][0]
                command.output, command.varies = (last, end), marks.get("varies")
            yield command


def comparable(lines, varies):
    """Returns the lines of an output as far as they must be equal."""
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if varies != "numbers":
        return lines
    return [re.sub(r"-{3,}", "---", re.sub(r"\s+", " ", NUMBER.sub("#", line))).strip() for line in lines]


def difference(command, recorded, printed):
    """Returns how the printed lines differ from the recorded ones, as text; None if they do not."""
    if command.output is None or command.varies == "all" or re.search(r"\bmine\b", command.text):
        return None
    before, now = (comparable(lines, command.varies) for lines in (recorded, printed))
    if before == now:
        return None
    return "\n".join(difflib.unified_diff(before, now, "recorded", "printed now", lineterm=""))


def with_outputs(text, outputs):
    """Returns the text with the recorded output of commands replaced: outputs is [(Command, lines)]."""
    lines = text.splitlines()
    for command, printed in sorted(outputs, key=lambda o: -o[0].line):
        first, end = command.output
        lines[first:end] = [line.rstrip() for line in "\n".join(printed).rstrip().splitlines()]
    return "\n".join(lines) + "\n"


def make_scratch(tree, scratch, shared):
    """A folder that looks like the repository's root, with `shared` beside it; documents may write into it."""
    shutil.rmtree(scratch, ignore_errors=True)
    root = scratch / "root"
    root.mkdir(parents=True)
    for entry in tree.iterdir():
        if not entry.name.startswith((".", "build")):
            (root / entry.name).symlink_to(entry)
    if shared and shared.is_dir():
        (scratch / "shared").symlink_to(shared)
    return root


def documents(tree):
    return sorted([tree / "README.md", tree / "CONTRIBUTING.md", *tree.glob("docs/*.md"), *tree.glob("0[1-8]_*/**/*.md")])


def run_command(command, root, environment, timeout):
    """Returns (exit status or "timeout", output)."""
    try:
        result = subprocess.run(["bash", "-c", command], cwd=root, env=environment, timeout=timeout,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return result.returncode, result.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        return "timeout", (error.stdout or b"").decode(errors="replace")


def run_all(arguments):
    tree = arguments.tree.resolve()
    scratch = arguments.scratch.resolve()
    root = make_scratch(tree, scratch, arguments.shared and arguments.shared.resolve())
    (root / "build").mkdir()
    (root / "build" / "bin").symlink_to(arguments.bin.resolve())
    environment = {**os.environ, "PATH": f"{arguments.bin.resolve()}:{os.environ['PATH']}", "TERM": "dumb", "COLUMNS": "100"}
    results, failed, skipped = {}, 0, 0  # results: command -> (status, output)
    for document in arguments.documents or [d for d in documents(tree) if d.is_file()]:
        document = document.resolve()
        name = document.relative_to(tree)
        text = document.read_text(encoding="utf-8")
        lines, outputs = text.splitlines(), []
        for command in commands_of(text):
            reason = command.skip
            if reason is None and "../shared" in command.text and not (scratch / "shared").exists():
                reason = "the folder shared/ is not beside the repository"
            if arguments.list or reason is not None:
                skipped += reason is not None
                print(f"{name}:{command.line}: {command.text}" + (f"   [not run: {reason}]" if reason else ""))
                continue
            new = command.text not in results
            start = time.monotonic()
            if new:
                results[command.text] = run_command(command.text, root, environment, arguments.timeout)
            status, output = results[command.text]
            if status == 1 and re.search(r"\bmine\b", command.text) and "mine.cpp" in output:
                status = command.status  # the reader has not written it yet
            # Only a slow machine prints how far a command is.
            printed = [line for line in output.splitlines() if not PROGRESS.fullmatch(line)]
            problem = ""
            if status != command.status:
                problem = f"exit status {status} instead of {command.status}; its output ends in:\n{output[-2000:]}"
            elif command.output is not None and arguments.record:
                outputs.append((command, printed))
            elif command.output is not None:
                differs = difference(command, lines[slice(*command.output)], printed)
                if differs:
                    problem = f"its output is not the recorded one; docs/run_doc_commands.py --record replaces it:\n{differs}"
            if new or problem:
                verdict = "FAILED" if problem else "ok"
                print(f"{name}:{command.line}: {verdict}, {time.monotonic() - start:.1f} s: {command.text}", flush=True)
            if problem:
                failed += 1
                print(f"  {problem}")
        if outputs:
            document.write_text(with_outputs(text, outputs), encoding="utf-8")
    print(f"{len(results)} commands run, {failed} failed, {skipped} left out")
    return 1 if failed else 0


def self_test_commands():
    text = """Text with `rung inline` in it.
    rung not-a-block   because a paragraph goes on

    rung one -p "a  b"     # a comment
    text that it prints

    $ build/bin/rung two \\
        --more
<!-- not run: it never ends -->

    rung three

```sh
rung four  # exit status 2
./run.sh four --x mine
./run.sh five
ctest -R other
wrung five
```
<!-- not run: again -->
```
rung six
```

Paragraph.

    rung seven
"""
    found = [(c.text.split("#")[0].split(), c.status, c.skip) for c in commands_of(text)]
    assert found == [
        (["rung", "one", "-p", '"a', 'b"'], 0, None),
        (["build/bin/rung", "two", "--more"], 0, None),
        (["rung", "three"], 0, "it never ends"),
        (["rung", "four"], 2, None),
        (["rung", "four", "--x", "mine"], 0, None),
        (["rung", "six"], 0, "again"),
        (["rung", "seven"], 0, None),
    ], found


def self_test_outputs():
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        (tree / "docs").mkdir(parents=True)
        (tree / "bin").mkdir()
        program = tree / "bin" / "rung"
        program.write_text("#!/bin/sh\necho 'bench:  10 %, about 3 s left' >&2\necho \"$1 one\"\necho\necho '  took 12.5 ms,  3 MB'\n")
        program.chmod(0o755)
        document = tree / "docs" / "a.md"

        def text(first, second, third, mark="<!-- varies: numbers -->"):
            return (f"# A\n\n```console\n$ rung x\n{first}$ rung \\\n    y\n{second}```\n\n{mark}\n```console\n"
                    f"$ rung x\n{third}```\nrung z\n")

        def run(*options):
            return subprocess.run([sys.executable, __file__, str(tree), str(tree / "bin"), f"{folder}/scratch", *options, str(document)],
                                  capture_output=True, text=True, check=False)

        document.write_text(text("", "old\nlines\n", ""))
        assert run().returncode == 1 and "+x one" in run().stdout, run()
        recorded = run("--record")
        assert recorded.returncode == 0, recorded
        says = {word: f"{word} one\n\n  took 12.5 ms,  3 MB\n" for word in "xy"}
        assert document.read_text() == text(says["x"], says["y"], says["x"]), document.read_text()
        other = says["x"].replace("12.5 ms,  3 MB", "1,250 µs, 14.25 GB")
        for third, mark, status in ((other, "<!-- varies: numbers -->", 0), (other, "", 1), ("other\n", "<!-- varies -->", 0),
                                    ("other\n", "<!-- varies: numbers -->", 1)):
            document.write_text(text(says["x"], says["y"], third, mark))
            assert run().returncode == status, (third, mark, run())


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test_commands()
        self_test_outputs()
        print("run_doc_commands.py finds the commands of a made-up document, records what they print, and compares it")
        return 0
    parser = argparse.ArgumentParser(description="Runs the commands that the documents show.")
    parser.add_argument("tree", type=Path)
    parser.add_argument("bin", type=Path, help="the folder of the program rung")
    parser.add_argument("scratch", type=Path)
    parser.add_argument("documents", type=Path, nargs="*", help="default: all documents of the tree")
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--list", action="store_true", help="only show what would be run")
    parser.add_argument("--record", action="store_true", help="replace the recorded output")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one command")
    return run_all(parser.parse_intermixed_args())


if __name__ == "__main__":
    sys.exit(main())
