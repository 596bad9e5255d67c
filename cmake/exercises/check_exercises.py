#!/usr/bin/env python3
"""Proves that every exercise judges fairly. For each topic the target exercise_answers links the judge with one of the
three files of cmake/exercises/TOPIC in the place of the topic's mine.cpp, so that the learner's own work does not matter:

  - stub.cpp, which a clone starts with, is not started: exit code 77, and CTest reports that as skipped
  - solution.cpp passes: exit code 0
  - wrong.cpp fails: exit code 1, in a sentence that names shape, index, expected, got

Run as:  check_exercises.py TREE BUILD
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORDS = ["shape", "index", "expected", "got"]


def judge(program):
    """The exit code and the output of a judge; a missing program is the exit code None."""
    if not program.is_file():
        return None, f"{program} was not built: cmake --build BUILD --target exercise_answers"
    # Two run at a time: threads that spin while they wait would take the other's processors.
    environment = {**os.environ, "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive")}
    done = subprocess.run([str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=900, env=environment)
    return done.returncode, done.stdout


def skip_codes(build):
    """{name of a test: the exit code that CTest reports as skipped} of all exercises."""
    listing = subprocess.run(["ctest", "--test-dir", str(build), "-L", "^exercise$", "--show-only=json-v1"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    tests = json.loads(listing[listing.index("{"):])["tests"]
    return {test["name"]: p["value"] for test in tests for p in test["properties"] if p["name"] == "SKIP_RETURN_CODE"}


def check(tree, build):
    """One sentence for every problem."""
    topics = sorted(p.parent for p in tree.glob("0[1-8]_*/*/mine.cpp"))
    if not topics:
        return ["no topic has a mine.cpp; there is nothing to check"]
    answers = [(topic.name, answer) for topic in topics for answer in ("stub", "solution", "wrong")]
    with ThreadPoolExecutor(2) as pool:
        verdicts = dict(zip(answers, pool.map(lambda a: judge(build / "bin" / f"{a[0]}_{a[1]}"), answers)))
    skipped = skip_codes(build)
    problems = []
    for (topic, answer), (code, output) in verdicts.items():
        print(f"{topic} with {answer}.cpp: exit code {code}: {output.strip()}")
        expected = {"stub": 77, "solution": 0, "wrong": 1}[answer]
        absent = [word for word in WORDS if word not in output] if answer == "wrong" else []
        if code != expected:
            problems.append(f"{topic}: {answer}.cpp must end with exit code {expected}, not {code}")
        elif absent:
            problems.append(f"{topic}: the failure of wrong.cpp does not name {', '.join(absent)}")
    for topic in topics:
        if skipped.get(f"{topic.name}.mine") != 77:
            problems.append(f"{topic.name}: CTest does not take exit code 77 of {topic.name}.mine for skipped")
    print(f"{len(topics)} exercises, {len(problems)} problems")
    return problems


def main():
    if len(sys.argv) != 3:
        print("usage: check_exercises.py TREE BUILD", file=sys.stderr)
        return 2
    problems = check(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
