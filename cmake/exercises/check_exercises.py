#!/usr/bin/env python3
"""Proves that every exercise judges fairly. For each topic the target exercise_answers links the judge with one of the
files of cmake/exercises/TOPIC in the place of the topic's mine.cpp, so that the learner's own work does not matter:

  - stub.cpp, which a clone starts with, is not started: exit code 77, and CTest reports that as skipped
  - solution.cpp passes: exit code 0. Where the ladder has goals (core/goal.hpp), it reaches all of them
  - wrong.cpp fails: exit code 1, in a sentence that names shape, index, expected, got
  - correct.cpp, which a topic has where its ladder has goals, passes and misses at least one of them: exit code 0

Run as:  check_exercises.py TREE BUILD | --self-test
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORDS = ["shape", "index", "expected", "got"]
CODES = {"stub": 77, "solution": 0, "wrong": 1, "correct": 0}
GOOD, NOT_YET = "\ngood: ", "\ncorrect, not yet good: "


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


def problem_of(answer, code, output, has_goals):
    """What is wrong with how an answer was judged; None: nothing."""
    absent = [word for word in WORDS if word not in output] if answer == "wrong" else []
    if code != CODES[answer]:
        return f"{answer}.cpp must end with exit code {CODES[answer]}, not {code}"
    if absent:
        return f"the failure of wrong.cpp does not name {', '.join(absent)}"
    if answer == "solution" and has_goals and (GOOD not in output or NOT_YET in output):
        return "solution.cpp must reach every goal"
    if answer == "solution" and not has_goals and (GOOD in output or NOT_YET in output):
        return "a ladder with goals needs a correct.cpp"
    if answer == "correct" and NOT_YET not in output:
        return "correct.cpp must pass and miss a goal"
    return None


def self_test():
    fine = {"stub": "", "solution": f"passed: 8 trials{GOOD}5 steps{GOOD}waits of 1 step", "wrong": " ".join(WORDS),
            "correct": f"passed: 8 trials{GOOD}5 steps{NOT_YET}waits of 9 steps"}
    for answer, output in fine.items():
        assert problem_of(answer, CODES[answer], output, True) is None, answer
        assert "exit code" in problem_of(answer, CODES[answer] + 1, output, True), answer
    assert "name expected" in problem_of("wrong", 1, "shape index got", True)
    assert "reach every goal" in problem_of("solution", 0, fine["correct"], True)
    for answer in ("solution", "correct"):
        assert "needs a correct.cpp" in problem_of("solution", 0, fine[answer], False)
    assert "miss a goal" in problem_of("correct", 0, fine["solution"], True)
    print("check_exercises.py finds each of 9 faults in made-up verdicts, and none in sound ones")


def check(tree, build):
    """One sentence for every problem."""
    topics = sorted(p.parent for p in tree.glob("0[1-8]_*/*/mine.cpp"))
    if not topics:
        return ["no topic has a mine.cpp; there is nothing to check"]
    with_goals = {topic.name for topic in topics if (tree / "cmake/exercises" / topic.name / "correct.cpp").is_file()}
    answers = [(topic.name, answer) for topic in topics for answer in CODES
               if answer != "correct" or topic.name in with_goals]
    with ThreadPoolExecutor(2) as pool:
        verdicts = dict(zip(answers, pool.map(lambda a: judge(build / "bin" / f"{a[0]}_{a[1]}"), answers)))
    skipped = skip_codes(build)
    problems = []
    for (topic, answer), (code, output) in verdicts.items():
        print(f"{topic} with {answer}.cpp: exit code {code}: {output.strip()}")
        problem = problem_of(answer, code, output, topic in with_goals)
        if problem:
            problems.append(f"{topic}: {problem}")
    for topic in topics:
        if skipped.get(f"{topic.name}.mine") != 77:
            problems.append(f"{topic.name}: CTest does not take exit code 77 of {topic.name}.mine for skipped")
    print(f"{len(topics)} exercises, {len(with_goals)} of them with goals, {len(problems)} problems")
    return problems


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 3:
        print("usage: check_exercises.py TREE BUILD | --self-test", file=sys.stderr)
        return 2
    problems = check(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
