#!/usr/bin/env python3
"""Runs the commands that the documents show, so that none of them is a lie.

A command is a line of a code block (fenced, or indented by four spaces) that begins with `rung ` or
`build/bin/rung `, with or without a `$ ` before it. It must exit with status 0, or with N where its line ends in a
comment that says `exit status N`; a command that names the rung `mine` may also say that mine.cpp is not started.
Commands of one document run in its order, in a scratch folder that looks like the
repository's root, so a file that one writes is there for the next. A comment before a code block leaves the block out:

    <!-- not run: it asks for a password -->

Run as:  run_doc_commands.py TREE BIN SCRATCH [--shared DIR] [--list] [--timeout SECONDS]
         run_doc_commands.py --self-test
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

SKIP = re.compile(r"<!--\s*not run:\s*(.+?)\s*-->")
COMMAND = re.compile(r"^(?:\$ )?((?:build/bin/)?rung(?: .*)?)$")
STATUS = re.compile(r"#.*\bexit status (\d+)\s*$")


def code_blocks(text):
    """Yields (skip reason or None, [(line number, line)]) for every code block of a Markdown text."""
    reason, block, fence, blank = None, [], None, True
    for number, line in enumerate([*text.splitlines(), ""], 1):
        stripped = line.strip()
        if fence is not None:
            if stripped.startswith(fence):
                yield reason, block
                reason, block, fence = None, [], None
            else:
                block.append((number, stripped))
            continue
        indented = line.startswith(("    ", "\t")) and stripped and (blank or block)
        if indented:
            block.append((number, stripped))
            continue
        if block and stripped:
            yield reason, block
            reason, block = None, []
        if stripped.startswith(("```", "~~~")):
            fence = stripped[:3]
        elif SKIP.search(line):
            reason = SKIP.search(line).group(1)
        elif stripped:
            reason = None
        blank = not stripped
    if block:
        yield reason, block


def commands_of(text):
    """Yields (line number, command, expected exit status, skip reason or None)."""
    for reason, block in code_blocks(text):
        joined = []
        for number, line in block:
            if joined and joined[-1][1].endswith("\\"):
                joined[-1] = (joined[-1][0], joined[-1][1][:-1] + " " + line)
            else:
                joined.append((number, line))
        for number, line in joined:
            match = COMMAND.match(line)
            if match:
                status = STATUS.search(line)
                yield number, match.group(1), int(status.group(1)) if status else 0, reason


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


def run_all(arguments):
    tree = arguments.tree.resolve()
    scratch = arguments.scratch.resolve()
    root = make_scratch(tree, scratch, arguments.shared and arguments.shared.resolve())
    (root / "build").mkdir()
    (root / "build" / "bin").symlink_to(arguments.bin.resolve())
    environment = {**os.environ, "PATH": f"{arguments.bin.resolve()}:{os.environ['PATH']}", "TERM": "dumb"}
    done, failed, skipped = set(), 0, 0
    for document in (d for d in documents(tree) if d.is_file()):
        name = document.relative_to(tree)
        for number, command, expected, reason in commands_of(document.read_text(encoding="utf-8")):
            if reason is None and "../shared" in command and not (scratch / "shared").exists():
                reason = "the folder shared/ is not beside the repository"
            if arguments.list or reason is not None:
                skipped += reason is not None
                print(f"{name}:{number}: {command}" + (f"   [not run: {reason}]" if reason else ""))
                continue
            if command in done:
                continue
            done.add(command)
            start = time.monotonic()
            try:
                result = subprocess.run(["bash", "-c", command], cwd=root, env=environment, timeout=arguments.timeout,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                status, output = result.returncode, result.stdout.decode(errors="replace")
            except subprocess.TimeoutExpired as error:
                status, output = "timeout", (error.stdout or b"").decode(errors="replace")
            if status == 1 and re.search(r"\bmine\b", command) and "mine.cpp" in output:
                status = expected  # the reader has not written it yet
            verdict = "ok" if status == expected else "FAILED"
            print(f"{name}:{number}: {verdict}, {time.monotonic() - start:.1f} s: {command}", flush=True)
            if status != expected:
                failed += 1
                print(f"  exit status {status} instead of {expected}; its output ends in:\n{output[-2000:]}")
    print(f"{len(done)} commands run, {failed} failed, {skipped} left out")
    return 1 if failed else 0


def self_test():
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
    found = [(command.split("#")[0].split(), status, reason) for _, command, status, reason in commands_of(text)]
    assert found == [
        (["rung", "one", "-p", '"a', 'b"'], 0, None),
        (["build/bin/rung", "two", "--more"], 0, None),
        (["rung", "three"], 0, "it never ends"),
        (["rung", "four"], 2, None),
        (["rung", "six"], 0, "again"),
        (["rung", "seven"], 0, None),
    ], found
    print("run_doc_commands.py finds the commands of a made-up document")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    parser = argparse.ArgumentParser(description="Runs the commands that the documents show.")
    parser.add_argument("tree", type=Path)
    parser.add_argument("bin", type=Path, help="the folder of the program rung")
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--shared", type=Path)
    parser.add_argument("--list", action="store_true", help="only show what would be run")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one command")
    return run_all(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
