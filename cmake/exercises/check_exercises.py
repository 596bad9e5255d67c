#!/usr/bin/env python3
"""Proves on a scratch copy of the tree that every exercise judges fairly:

  - with cmake/exercises/TOPIC/stub.cpp in place of mine.cpp (what a clone starts with; the learner's own work does
    not disturb this test) it is not started: exit code 77, and CTest reports the test as skipped
  - with cmake/exercises/TOPIC/solution.cpp in place of mine.cpp it passes: exit code 0
  - with cmake/exercises/TOPIC/wrong.cpp it fails: exit code 1, in a sentence that names shape, index, expected, got

Run as:  check_exercises.py TREE SCRATCH [-D...]     the -D options go to CMake; SCRATCH is kept for the next run
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "common" / "house"))
from tree_files import tree_files  # noqa: E402

WORDS = ["shape", "index", "expected", "got"]


def write_changed(content, target):
    """Writes a file when its content differs, so that the scratch build compiles only what changed."""
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def mirror(tree, copy):
    files = [f for f in tree_files(tree) if f.parts[0] != "models"]  # no exercise needs a model
    for file in files:
        write_changed((tree / file).read_bytes(), copy / file)
    for stale in set(tree_files(copy)) - set(files):
        (copy / stale).unlink()
    (copy / "models").mkdir(exist_ok=True)


def run(command, what):
    """Runs a command that must succeed; its output is shown only when it does not."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{what} failed:\n{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done.stdout


class Exercises:
    def __init__(self, tree, scratch, options):
        self.tree, self.copy, self.build = tree, scratch / "tree", scratch / "build"
        self.problems = []
        mirror(tree, self.copy)
        generator = ["-G", "Ninja"] if shutil.which("ninja") else []
        known = (self.build / "CMakeCache.txt").exists()
        run(["cmake", "-S", str(self.copy), "-B", str(self.build), *([] if known else generator), *options,
             "-DRUNG_TESTS=ON", "-DRUNG_CUDA=OFF"], "configuring the scratch copy")
        self.topics = sorted(p.parent.relative_to(self.copy) for p in self.copy.glob("0[1-8]_*/*/mine.cpp"))

    def problem(self, topic, text):
        print(f"{topic}: {text}", flush=True)
        self.problems.append(topic)

    def answer(self, topic, name):
        return self.tree / "cmake" / "exercises" / topic.name / name

    def judge(self, name):
        """Puts stub.cpp, solution.cpp or wrong.cpp in the place of mine.cpp; (exit code, output) of every exercise."""
        for topic in self.topics:
            mine = self.copy / topic / "mine.cpp"
            if self.answer(topic, name).is_file():
                write_changed(self.answer(topic, name).read_bytes(), mine)
        targets = [f"{topic.name}_exercise" for topic in self.topics]
        run(["cmake", "--build", str(self.build), "-j2", "--target", *targets], f"building with {name}")
        verdicts = {}
        for topic, target in zip(self.topics, targets):
            done = subprocess.run([str(self.build / "bin" / target)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            print(f"{topic} with {name}: exit code {done.returncode}: {done.stdout.strip()}", flush=True)
            verdicts[topic] = (done.returncode, done.stdout)
        return verdicts

    def check(self):
        if not self.topics:
            sys.exit("no topic has a mine.cpp; there is nothing to check")
        for topic in self.topics:
            for name in ("stub.cpp", "solution.cpp", "wrong.cpp"):
                if not self.answer(topic, name).is_file():
                    self.problem(topic, f"cmake/exercises/{topic.name}/{name} is missing")

        for topic, (code, _) in self.judge("stub.cpp").items():
            if code != 77:
                self.problem(topic, f"stub.cpp must be not started (exit code 77), not {code}")
        listing = subprocess.run(["ctest", "--test-dir", str(self.build), "-L", "^exercise$"],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
        for topic in self.topics:
            if not any(f"{topic.name}.mine " in line and "Skipped" in line for line in listing.splitlines()):
                self.problem(topic, f"CTest does not report {topic.name}.mine as skipped:\n{listing}")

        for topic, (code, _) in self.judge("solution.cpp").items():
            if code != 0:
                self.problem(topic, f"solution.cpp must pass (exit code 0), not {code}")
        for topic, (code, output) in self.judge("wrong.cpp").items():
            absent = [word for word in WORDS if word not in output]
            if code != 1:
                self.problem(topic, f"wrong.cpp must fail (exit code 1), not {code}")
            elif absent:
                self.problem(topic, f"the failure does not name {', '.join(absent)}")
        return self.problems


def main():
    if len(sys.argv) < 3:
        print("usage: check_exercises.py TREE SCRATCH [CMAKE OPTIONS]", file=sys.stderr)
        return 2
    exercises = Exercises(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:])
    problems = exercises.check()
    print(f"{len(exercises.topics)} exercises, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
