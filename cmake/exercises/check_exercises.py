#!/usr/bin/env python3
"""Proves that every exercise judges fairly. For each topic the target exercise_answers links the judge with one of the
files of cmake/exercises/TOPIC in the place of the topic's mine.cpp, so that the learner's own work does not matter:

  - stub.cpp, which a clone starts with, is not started: exit code 77, and CTest reports that as skipped
  - solution.cpp passes: exit code 0. Where the ladder has goals (core/goal.hpp), it reaches all of them
  - wrong.cpp fails: exit code 1, and names the trial, the shape, the index, the expected and the actual value
  - stepN.cpp, which a topic has for each of its graded steps (core/exercise_steps.hpp) but the last, passes the steps 1 to N
    and has not started the others: exit code 77
  - correct.cpp, which a topic has where its ladder has goals, passes and misses at least one of them: exit code 0

It also compares the tables of steps in the lessons, below the mark <!-- steps -->, with what the solutions pass.

Run as:  check_exercises.py TREE BUILD [--write] | --self-test         --write writes these tables
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORDS = ["trial:", "shape", "index:", "expected:", "actual:"]
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


def steps_of(program):
    """What a judge says about the steps of an exercise: [{"step", "title", "status", "passed", "task", "lines"}]."""
    if not program.is_file():
        return []
    environment = {**os.environ, "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive")}
    done = subprocess.run([str(program), "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=900,
                          env=environment, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [line for line in lines if "step" in line]


def problem_of_steps(number, steps):
    """What is wrong with how stepN.cpp was judged; None: nothing."""
    for step in steps:
        wanted = "passing" if step["step"] <= number else "not started"
        if step["status"] != wanted:
            return f"step {step['step']} of step{number}.cpp must be {wanted}, not {step['status']}: {step['failure']}"
    return None if len(steps) > number else f"step{number}.cpp is an answer to a part, but there are {len(steps)} steps"


def table_of(steps):
    """The table of a lesson's graded steps. The last column counts the checks that pass before a step and after it."""
    rows = ["| step | what to write | about | checks passed |", "|---|---|---:|---:|"]
    before = 0
    for step in steps:
        after = before + step["passed"]
        length = f"{step['lines']} lines" if step["lines"] else ""
        rows.append(f"| {step['step']}. {step['title']} | {step['task']} | {length} | {before} → {after} |")
        before = after
    return "\n".join(rows) + "\n"


STEPS_MARK = re.compile(r"(<!-- steps -->\n)(?:\n\| step \|.*?<!-- end -->\n)?", re.DOTALL)


def with_table(text, steps):
    return STEPS_MARK.sub(lambda match: match[1] + "\n" + table_of(steps) + "\n<!-- end -->\n", text, count=1)


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
    assert "name expected:" in problem_of("wrong", 1, "trial: shape index: actual:", True)
    assert "reach every goal" in problem_of("solution", 0, fine["correct"], True)
    for answer in ("solution", "correct"):
        assert "needs a correct.cpp" in problem_of("solution", 0, fine[answer], False)
    assert "miss a goal" in problem_of("correct", 0, fine["solution"], True)
    steps = [{"step": n, "title": f"part {n}", "status": "passing" if n < 3 else "not started", "passed": 4, "failure": "",
              "task": f"Write f{n}().", "lines": 5} for n in (1, 2, 3)]
    assert problem_of_steps(2, steps) is None
    assert "must be not started" in problem_of_steps(1, steps) and "must be passing" in problem_of_steps(3, steps)
    assert "answer to a part" in problem_of_steps(2, steps[:2])
    written = with_table("before\n<!-- steps -->\nafter\n", steps)
    assert "| 2. part 2 | Write f2(). | 5 lines | 4 → 8 |\n" in written and written.endswith("<!-- end -->\nafter\n"), written
    assert with_table(written, steps) == written
    print("check_exercises.py finds each of 12 faults in made-up verdicts, and none in sound ones")


def check(tree, build, write):
    """One sentence for every problem."""
    topics = sorted(p.parent for p in tree.glob("0[1-8]_*/*/mine.cpp"))
    if not topics:
        return ["no topic has a mine.cpp; there is nothing to check"]
    with_goals = {topic.name for topic in topics if (tree / "cmake/exercises" / topic.name / "correct.cpp").is_file()}
    answers = [(topic.name, answer) for topic in topics for answer in CODES
               if answer != "correct" or topic.name in with_goals]
    partial = [(topic.name, path.stem) for topic in topics
               for path in sorted((tree / "cmake/exercises" / topic.name).glob("step*.cpp"))]
    in_steps = [(topic.name, "solution") for topic in topics] + partial
    with ThreadPoolExecutor(2) as pool:
        verdicts = dict(zip(answers, pool.map(lambda a: judge(build / "bin" / f"{a[0]}_{a[1]}"), answers)))
        judged = dict(zip(in_steps, pool.map(lambda a: steps_of(build / "bin" / f"{a[0]}_{a[1]}"), in_steps)))
    skipped = skip_codes(build)
    problems = []
    for topic in topics:
        steps = judged[topic.name, "solution"]
        for n in range(1, len(steps)):
            print(f"{topic.name} with step{n}.cpp")
            problem = problem_of_steps(n, judged.get((topic.name, f"step{n}"), []))
            if problem:
                problems.append(f"{topic.name}: {problem}")
        tests = {name for name in skipped if name.startswith(f"{topic.name}.mine.")}
        if tests != ({f"{topic.name}.mine.{step['step']}" for step in steps} if len(steps) > 1 else set()):
            problems.append(f"{topic.name}: rung_topic(STEPS ...) does not say that there are {len(steps)} steps")
        if len(steps) < 2:
            continue
        lesson = topic / "README.md"
        before = lesson.read_text(encoding="utf-8")
        after = with_table(before, steps)
        if before != after and write:
            lesson.write_text(after, encoding="utf-8")
        elif before != after:
            problems.append(f"{lesson.relative_to(tree)}: the table of steps is old; run cmake/exercises/check_exercises.py --write")
        if "<!-- steps -->" not in before:
            problems.append(f"{lesson.relative_to(tree)}: the mark <!-- steps --> must stand where the table of steps belongs")
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
    write = sys.argv[3:] == ["--write"]
    if len(sys.argv) != (4 if write else 3):
        print("usage: check_exercises.py TREE BUILD [--write] | --self-test", file=sys.stderr)
        return 2
    problems = check(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), write)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
