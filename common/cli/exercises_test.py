#!/usr/bin/env python3
"""Builds and judges one exercise as a learner does: `rung exercises NAME` with its hints, the next step, and the report.

usage: exercises_test.py RUNG SCRATCH_FOLDER SHARED_FOLDER
"""

import json
import os
import subprocess
import sys
import unittest
from xml.etree import ElementTree

RUNG, SCRATCH = sys.argv[1:3]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(*args):
    done = subprocess.run([RUNG, "exercises", *map(str, args)], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, (args, done)
    return done.stdout


class OneExercise(unittest.TestCase):
    def test_steps_hints_and_report(self):
        report = os.path.join(SCRATCH, "exercises.xml")
        row = json.loads(run("one_token", "--json", "--junit", report))
        self.assertEqual(len(row["steps"]), 6)
        suite = ElementTree.parse(report).getroot().find("testsuite")
        self.assertEqual((suite.get("name"), suite.get("tests")), ("one_token", "6"))
        self.assertEqual(int(suite.get("skipped")), sum(s["status"] == "not started" for s in row["steps"]))
        if row["status"] != "not started":
            self.skipTest("mine.cpp of one_token is not the stub")
        self.assertEqual(row["lesson"], "0 One token")
        self.assertIn("my_norm()", row["steps"][0]["task"])
        hints = [run("one_token", "--hint") for _ in range(4)]
        self.assertEqual([hint.split(":")[0] for hint in hints][-2:], ["step 1, norm, hint 3 of 3"] * 2)
        self.assertEqual(json.loads(run("--next", 1, "--json"))["exercise"], "one_token")
        self.assertIn("next: one_token, step 1 of 6, norm.", run("--next", 1))

    def test_verdicts_apart_from_what_the_code_prints(self):
        judge = os.path.join(os.path.dirname(RUNG), "one_token_exercise")
        report = os.path.join(SCRATCH, "one_token.report")
        done = subprocess.run([judge, "--report", report], capture_output=True, text=True, timeout=600, check=False)
        if done.returncode == 77:  # the stub prints nothing
            self.assertEqual(done.stdout + done.stderr, "")
        with open(report, encoding="utf-8") as lines:
            steps = [json.loads(line) for line in lines]
        self.assertEqual([step["step"] for step in steps], list(range(1, len(steps) + 1)))
        self.assertGreater(len(steps), 0)
        nowhere = subprocess.run([judge, "--report", SCRATCH], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((nowhere.returncode, nowhere.stdout), (2, f"cannot write {SCRATCH}: Is a directory\n"))

    def test_board_after_the_file_was_edited(self):
        """The board takes the verdict of the exercise's own judge if that is newer than the program."""
        board = lambda: {row["exercise"]: row for row in json.loads(run(1, "--json"))}["one_token"]
        mine = os.path.join(ROOT, board()["source"])
        before = os.stat(mine)
        try:
            os.utime(mine)
            self.assertTrue(board()["edited"])
            self.assertIn("rung exercises one_token builds and judges it", run(1))
            run("one_token")
            self.assertFalse(board()["edited"])
        finally:
            os.utime(mine, ns=(before.st_atime_ns, before.st_mtime_ns))


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main(argv=sys.argv[:1])
