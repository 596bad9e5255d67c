#!/usr/bin/env python3
"""Runs `rung bench-serve` as its users do: loads, traces, arrivals, timelines, and bad input.

usage: bench_serve_test.py RUNG SCRATCH_FOLDER SHARED_FOLDER
"""

import gzip
import json
import os
import sys
import unittest

from cli_test import SCRATCH, Case, scratch


class Serve(Case):
    def test_schedulers(self):
        load = ("bench-serve", "-m", "tiny", "--requests", 12, "--output-tokens", "4-20", "--max-sequences", 4, "--max-step-tokens", 32)
        counts = set()
        for extra in ((), ("--engine", "static"), ("--engine", "orca"), ("--kv-budget", "400kB", "--ctx", 96),
                      ("--kv-budget", "400kB", "--ctx", 96, "--swap", "10MB"), ("--rate", 200, "--policy", "fair_share", "--users", 3)):
            out = self.json(*load, *extra)
            counts.add((out["prompt_tokens"], out["output_tokens"]))
            self.assertGreater(out["output_tok_s"], 0)
            self.assertLessEqual(out["ttft_s"]["p50"], out["e2e_s"]["p99"])
            self.assertLess(out["kv"]["waste"], 1)
            if "--swap" in extra:
                self.assertEqual(out["recomputed_tokens"], 0)
        self.assertEqual(len(counts), 1)
        trace = scratch("trace.csv")
        with open(trace, "w", encoding="utf-8") as file:
            file.write("TIMESTAMP,ContextTokens,GeneratedTokens\nx,10,3\ny,20,5\n")
        out = self.json("bench-serve", "-m", "tiny", "--trace", trace, "--length-scale", 2)
        self.assertEqual((out["prompt_tokens"], out["output_tokens"]), (60, 16))
        with open(trace, "w", encoding="utf-8") as file:
            file.write("time,user,prompt,output\n0,0,10,3\n0,0,10,3\n0.01,7,20,5\n")
        users = ("bench-serve", "-m", "tiny", "--trace", trace, "--arrivals", "trace", "--policy", "fair_share")
        out = self.json(*users)
        self.assertEqual([(u["user"], u["requests"]) for u in out["users"]], [(0, 2), (7, 1)])
        self.assertLessEqual(max(u["e2e_s"]["p99"] for u in out["users"]), 1.01 * out["e2e_s"]["p99"] + 1e-6)
        self.assertIn("user 7 ", self.ok(*users).decode())
        self.refused(2, "--prompt-tokens 5- is no length", "bench-serve", "-m", "tiny", "--prompt-tokens", "5-")
        self.refused(2, "raise --ctx", "bench-serve", "-m", "tiny", "--ctx", 8)
        self.refused(2, "could never end", "bench-serve", "-m", "tiny", "--kv-budget", "1kB")
        self.refused(2, "--block-size 3", "generate", "-m", "tiny", "-p", "a", "--block-size", 3)
        self.refused(1, "cannot read the trace", "bench-serve", "-m", "tiny", "--trace", scratch("absent.csv"))

    def test_refusals(self):
        serve = ("bench-serve", "-m", "tiny", "--requests", 12, "--output-tokens", "4-8", "--max-sequences", 2, "--timeline", 12)
        out = self.json(*serve, "--max-waiting", 3)
        self.assertEqual((out["requests"], out["refused"], len(out["timeline"]["requests"])), (12, 9, 3))
        out = self.json(*serve, "--max-waiting", 4, "--multi-turn", 3)  # four conversations of three turns
        self.assertEqual(out["refused"], 0)
        out = self.json(*serve, "--max-waiting", 3, "--multi-turn", 3)
        self.assertEqual(out["refused"], 3)
        text = self.ok(*serve, "--max-waiting", 3).decode()
        self.assertIn("9 requests found the queue full", text)

    def test_loads(self):
        serve = ("bench-serve", "-m", "tiny", "--requests", 14, "--output-tokens", "4-12")
        for load, extra in (("chat", ("--multi-turn", 3)), ("agents", ("--agents", 2, "--depth", 3))):
            prompts = set()
            for cache in ("none", "radix"):
                out = self.json(*serve, *extra, "--shared-prefix", 40, "--set", f"prefix_cache={cache}", "--timeline", 20)
                self.assertEqual(out["workload"], load)
                self.assertEqual(len(out["timeline"]["requests"]), 14)
                prompts.add(out["prompt_tokens"])
                self.assertEqual(out["cache"]["hit_rate"] > 0.3, cache == "radix")
                self.assertAlmostEqual(out["cache"]["hit_rate"] * out["prompt_tokens"], out["cached_tokens"], places=6)
            self.assertEqual(len(prompts), 1)
        out = self.json(*serve, "--rate", 500, "--arrivals", "gamma", "--cv", 3, "--kv-budget", "400kB", "--ctx", 96, "--timeline", 5,
                        "--slo-e2e", 1e-6, "--set", "quantile=log_histogram")
        self.assertEqual((out["arrivals"], out["goodput_request_s"]), ("gamma", 0))
        line = out["timeline"]
        self.assertEqual(len(line["requests"]), 5)
        self.assertLessEqual(len(line["kv"]["samples"]), 10)
        for request in line["requests"]:
            changes = [word.split("@") for word in request["states"].split()]
            self.assertEqual((changes[0][0], changes[1][0], changes[-1][0]), ("waiting", "prefill", "finished"))
            times = [float(at) for _, at in changes]
            self.assertEqual(times, sorted(times))
        for sample in line["kv"]["samples"]:
            self.assertEqual(sum(int(run.split("x")[1]) for run in sample["map"].split()), line["kv"]["blocks"])
            self.assertLessEqual(sample["live"], sample["taken"])
        trace = scratch("trace.jsonl")
        with open(trace, "w", encoding="utf-8") as file:
            for i, ids in enumerate(([0, 1, 2], [0, 1, 3], [0, 4, 5, 6])):
                file.write(json.dumps({"timestamp": 10 * i, "input_length": 512 * len(ids), "output_length": 64, "hash_ids": ids}) + "\n")
        out = self.json("bench-serve", "-m", "tiny", "--trace", trace, "--length-scale", 16 / 512, "--arrivals", "trace", "--time-scale", 50)
        self.assertEqual((out["prompt_tokens"], out["output_tokens"], out["arrivals"]), (160, 6, "trace"))
        self.assertGreater(out["duration_s"], 1)
        out = self.json("bench-serve", "-m", "tiny", "--trace", trace, "--length-scale", 16 / 512, "--max-length", 60)
        self.assertEqual((out["requests"], out["left_out"]), (2, 1))
        whole = gzip.compress(open(trace, "rb").read())
        with open(trace, "wb") as file:
            file.write(whole)
        again = self.json("bench-serve", "-m", "tiny", "--trace", trace, "--length-scale", 16 / 512, "--max-length", 60)
        self.assertEqual((again["requests"], again["prompt_tokens"]), (out["requests"], out["prompt_tokens"]))
        again = self.json("bench-serve", "-m", "tiny", "--trace", "-", "--length-scale", 16 / 512, "--max-length", 60, stdin=whole)
        self.assertEqual(again["prompt_tokens"], out["prompt_tokens"])
        for damaged in (whole[:-9], whole[:4], whole[:40] + b"x" * 9 + whole[49:], whole + b"x"):
            with open(trace, "wb") as file:
                file.write(damaged)
            self.refused(1, "is compressed, but", "bench-serve", "-m", "tiny", "--trace", trace)
        self.refused(2, "ask for different loads", *serve, "--multi-turn", 3, "--agents", 2)
        self.refused(2, "needs a rate", *serve, "--arrivals", "gamma")
        self.refused(2, "no times of its own", *serve, "--arrivals", "trace")
        self.refused(2, "no rung 'tomorrow'", *serve, "--arrivals", "tomorrow", "--rate", 1)
        self.refused(1, "does not support", *serve, "--arrivals", "poisson", "--rate", 1, "--cv", 3)
        self.refused(2, "no rung 'guess'", *serve, "--set", "quantile=guess")


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
