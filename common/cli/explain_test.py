#!/usr/bin/env python3
"""Runs `rung explain`, `rung generate --samples` and the flags of admission as their users do.

usage: explain_test.py RUNG SCRATCH_FOLDER SHARED_FOLDER
"""

import json
import os
import sys
import unittest

from cli_test import SCRATCH, Case, scratch

# tiny keeps 3,072 bytes per token and more; this is little for nine sequences.
CROWD = ("explain", "-p", "Once upon a time there was a king", "-n", 24, "--ctx", 64, "--beside", 8, "--kv-budget", "1MB")


class Explain(Case):
    def test_a_life_in_lines(self):
        told = self.ok(*CROWD).decode()
        for words in ("request 8, with 8 others", "queued with a prompt of", "admitted:", "first token: \"", "decoded",
                      "finished (length) after 24 tokens"):
            self.assertIn(words, told)

    def test_a_life_as_json_has_the_text_that_it_has_alone(self):
        out = self.json(*CROWD)
        kinds = [e["event"] for e in out["events"]]
        self.assertEqual(kinds[0], "queued")
        self.assertEqual(kinds[-1], "finished")
        self.assertEqual(kinds.count("token"), 24)
        self.assertEqual(out["dropped_events"], 0)
        alone = self.json("explain", "-p", "Once upon a time there was a king", "-n", 24, "--ctx", 64)
        self.assertEqual(alone["text"], out["text"])
        self.assertNotIn("preempted", [e["event"] for e in alone["events"]])

    def test_trace(self):
        path = scratch("trace.json")
        self.ok(*CROWD, "--trace-out", path)
        with open(path, encoding="utf-8") as f:
            events = json.load(f)["traceEvents"]
        names = {e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
        self.assertEqual(names, {"steps"} | {f"request {i}" for i in range(9)})
        self.assertEqual(sum(e["name"] == "request" for e in events if e["ph"] == "X"), 9)
        self.refused(1, "cannot write", *CROWD, "--trace-out", scratch("no/such/folder/t.json"), "--json")

    def test_refusals(self):
        self.refused(2, "-n is 0", "explain", "-p", "a", "-n", 0)
        self.refused(2, "--beside is -1", "explain", "-p", "a", "--beside", -1)
        self.refused(2, "auto, swap, recompute", "explain", "-p", "a", "--preempt", "never")
        self.refused(2, "say how much with --swap", "explain", "-p", "a", "--preempt", "swap")
        self.refused(1, "at most 3 can wait", *CROWD, "--max-waiting", 3)


class Samples(Case):
    def test_each_sample_is_the_text_of_its_seed(self):
        args = ("generate", "-p", "Once upon", "-n", 12, "--temp", 1)
        out = self.json(*args, "--seed", 5, "--samples", 3)
        self.assertEqual([s["seed"] for s in out["samples"]], [5, 6, 7])
        for sample in out["samples"]:
            alone = self.json(*args, "--seed", sample["seed"])
            self.assertEqual(sample["text"], alone["text"])
            self.assertEqual(sample["token_ids"], alone["token_ids"])
        self.assertEqual(out["text"], out["samples"][0]["text"])
        self.assertEqual(out["forked_tokens"], 2 * out["prompt_tokens"])
        told = self.ok(*args, "--seed", 5, "--n", 3).decode()
        self.assertIn("--- sample 3 of 3, seed 7", told)
        self.assertIn(out["samples"][2]["text"], told)
        self.refused(2, "--samples is 0", *args, "--samples", 0)


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
