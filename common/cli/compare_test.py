#!/usr/bin/env python3
"""Runs rung compare, experiment, plot and report as their users do.

usage: compare_test.py RUNG SCRATCH_FOLDER [SHARED_FOLDER]

No test here looks at a time. What draws needs matplotlib and is skipped, with a message, where it is not installed.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

RUNG = os.path.abspath(sys.argv[1])
SCRATCH = Path(sys.argv[2]).resolve() / "compare_test"
HAS_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None
QUICK = ["--workload", "decode", "-b", "1", "-n", "2", "-r", "2"]


def run(*args, environment=None):
    return subprocess.run([RUNG, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
                          cwd=SCRATCH, env={**os.environ, "RUNG_NO_INSTALL": "1", **(environment or {})})


def experiment(name, text):
    (SCRATCH / name).write_text(text)
    return name


class Case(unittest.TestCase):
    def ok(self, *args):
        done = run(*args)
        self.assertEqual(done.returncode, 0, f"{args}: {done.stderr}")
        return done.stdout

    def json(self, *args):
        return json.loads(self.ok(*args, "--json"))

    def refused(self, code, words, *args):
        done = run(*args)
        self.assertEqual(done.returncode, code, f"{args}: {done.stderr}")
        self.assertIn(words, done.stderr)
        self.assertEqual(len([line for line in done.stderr.splitlines() if line.startswith("rung: ")]), 1, done.stderr)
        self.assertEqual(done.stdout, "")


class Compare(Case):
    def test_speed(self):
        runs = self.json("compare", "--attention", "naive,flash", *QUICK)
        self.assertEqual(runs["format"], "rung runs 1")
        self.assertEqual(runs["command"], "rung compare --attention naive,flash --workload decode -b 1 -n 2 -r 2 --json")
        for key in ("name", "simd", "memory_bytes", "caches", "governor", "system", "compiler", "version", "commit"):
            self.assertIn(key, runs["machine"])
        (part,) = runs["parts"]
        self.assertEqual([v["rungs"]["attention"] for v in part["variants"]], ["naive", "flash"])
        self.assertEqual([v["options"] for v in part["variants"]], [{"attention": "naive"}, {"attention": "flash"}])
        (point,) = part["points"]
        self.assertEqual(len(point["rounds"]), 2)
        first, second = point["results"]
        self.assertEqual((first["ratio"], first["ratio_low"], first["ratio_high"]), (1, 1, 1))
        seconds = [r["seconds"][1] for r in point["rounds"]]
        self.assertEqual((second["seconds_min"], second["seconds_max"]), (min(seconds), max(seconds)))
        self.assertAlmostEqual(second["tok_s"], 2 / second["seconds"])
        self.assertIn(second["limit"], point["rounds"][0]["limits"])

    def test_combinations_and_names(self):
        runs = self.json("compare", "--attention", "naive,flash", "--kv-type", "f32,f16", "--threads", 1, *QUICK)
        part = runs["parts"][0]
        self.assertEqual([v["name"] for v in part["variants"]], ["naive, f32", "naive, f16", "flash, f32", "flash, f16"])
        self.assertEqual(part["settings"], {"threads": "1"})
        self.assertEqual([v["kv_bytes_per_token"] for v in part["variants"]], [3072, 1536, 3072, 1536])
        names = [v["name"] for v in self.json("compare", "--attention", "flash,flash", *QUICK)["parts"][0]["variants"]]
        self.assertEqual(names, ["flash", "flash (2)"])
        # An option that is given twice is not divided at commas.
        names = [v["name"] for v in self.json("compare", "--set", "linear=packed,auto", "--set", "linear=simd",
                                              *QUICK)["parts"][0]["variants"]]
        self.assertEqual(names, ["packed,auto", "simd"])

    def test_workloads_are_parts(self):
        runs = self.json("compare", "-m", "tiny,tiny-mha", "--workload", "prefill,context", "-p", "4,8", "--contexts", "5",
                         "-n", 2, "-r", 1)
        self.assertEqual([(p["name"], [q["size"] for q in p["points"]]) for p in runs["parts"]],
                         [("prefill", [4, 8]), ("context", [5])])
        self.assertEqual(runs["parts"][0]["size"], "prompt, tokens")
        self.assertIsNone(runs["parts"][0]["points"][0]["results"][1]["ratio_high"])  # one round: no upper end

    def test_serving(self):
        runs = self.json("compare", "--scheduler", "static_batch,chunked", "--workload", "random_lengths", "--requests", 4,
                         "--output-tokens", "2-4", "--rate", "inf,400", "--slo-ttft", 100, "-r", 2)
        (part,) = runs["parts"]
        self.assertEqual(part["measure"], "serving")
        self.assertEqual([p["size"] for p in part["points"]], [0, 400])
        self.assertEqual(part["targets"], {"ttft_s": 100})
        for point in part["points"]:
            for result in point["results"]:
                self.assertLessEqual(result["ttft_s"]["p50"], result["ttft_s"]["p99"])
                self.assertAlmostEqual(result["goodput_request_s"], result["request_s"])
        # Both variants of a round answer the same requests, and the rounds differ.
        tokens = [[f["tok_s"] * 0 + f["preemptions"] for f in r["figures"]] for r in part["points"][0]["rounds"]]
        self.assertEqual(tokens, [[0, 0], [0, 0]])

    def test_quality(self):
        (SCRATCH / "text.txt").write_text("Once upon a time there was a little dog. " * 40)
        runs = self.json("compare", "--kv-type", "f32,f8_e4m3", "--exact", "--measure", "quality", "-f", "text.txt",
                         "--chunks", 2, "--ctx", 64)
        (part,) = runs["parts"]
        exact, rounded = part["points"][0]["results"]
        self.assertEqual(part["reference"], "tiny --exact")
        self.assertEqual((exact["bytes"], rounded["bytes"], exact["bytes_of"]), (3072, 768, "KV cache per token"))
        self.assertLess(exact["kl"], 1e-6)
        self.assertGreater(rounded["kl"], 1e-5)
        self.assertGreater(exact["ppl"], 1)

    def test_quality_of_two_tokenizers(self):
        text = self.ok("compare", "-m", "tiny,draft", "--measure", "quality", "--chunks", 1)
        self.assertIn("text that tiny wrote", text)

    def test_what_cannot_be_compared(self):
        self.refused(2, "at least two variants", "compare")
        self.refused(2, "at least two variants", "compare", "--attention", "flash")
        self.refused(2, "'nope'; choose one of", "compare", "--attention", "flash,nope", *QUICK)
        self.refused(2, "no workload 'x'; choose one of: prefill", "compare", "--threads", "1,2", "--workload", "x")
        self.refused(2, "--threads is 0", "compare", "--threads", "1,0", *QUICK)
        self.refused(2, "--batch has no effect here", "compare", "--threads", "1,2", "--workload", "prefill", "-b", 2)
        self.refused(2, "--requests has no effect", "compare", "--threads", "1,2", "--requests", 3)
        self.refused(2, "--rate has no effect", "compare", "--threads", "1,2", "--rate", 3)
        self.refused(2, "is not SEAM=NAME", "compare", "--set", "a,b", *QUICK)
        self.refused(2, "but 1024 are possible", "compare", "--threads", "1,2", "--workload", "prefill", "-p", 5000)
        self.refused(2, "at most 64", "compare", "--threads", "1,2,3,4,5,6,7,8,9", "--block-size", "1,2,4,8,16,32,64,128")
        self.refused(1, "there is no model 'gone'", "compare", "-m", "tiny,gone", *QUICK)
        self.refused(1, "cannot write", "compare", "--threads", "1,2", "--out", "no/such/folder/x", *QUICK)

    def test_an_interruption_keeps_the_complete_rounds(self):
        child = subprocess.Popen([RUNG, "compare", "--threads", "1,1", "--workload", "decode", "-b", "1", "-n", "4", "-r", "5000",
                                  "--out", "stopped_compare"], cwd=SCRATCH, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.assertIn("decode:", child.stderr.readline())  # the first run has ended
        time.sleep(5)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1, told)
        self.assertIn("stopped_compare.json has the rounds that were complete", told)
        (part,) = json.loads((SCRATCH / "stopped_compare.json").read_text())["parts"]
        self.assertGreater(len(part["points"][0]["rounds"]), 0)
        self.assertGreater(part["points"][0]["results"][1]["ratio"], 0)

    def test_another_program_is_noticed(self):
        busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
        try:
            runs = self.json("compare", "--threads", "1,1", "--workload", "decode", "-b", "4", "-n", 64, "-r", 6)
        finally:
            for each in busy:
                each.kill()
                each.wait()
        self.assertGreater(runs["other_load"], 0.2)

    @unittest.skipUnless(HAS_MATPLOTLIB, "matplotlib is not installed")
    def test_files(self):
        self.ok("compare", "--attention", "naive,flash", *QUICK, "--out", "cmp")
        self.assertEqual(json.loads((SCRATCH / "cmp.json").read_text())["format"], "rung runs 1")
        self.assertIn("naive", (SCRATCH / "cmp.svg").read_text())
        self.assertEqual((SCRATCH / "cmp.png").read_bytes()[:4], b"\x89PNG")
        self.ok("plot", "cmp.json", "cmp.json", "--out", "both")
        self.assertTrue((SCRATCH / "both.svg").is_file())
        self.refused(2, "name it with --out", "plot", "cmp.json", "cmp.json")
        folder = SCRATCH / "reports"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(SCRATCH / "cmp.json", folder)
        self.ok("report", "reports", "--no-pdf", "--author", "A <B>")
        page = (folder / "report.html").read_text()
        self.assertIn("A &lt;B&gt;", page)
        self.assertIn("<svg", page)


SMALL = """
title = "Small"
rounds = {rounds}
[variants]
attention = ["naive", "flash"]
[options]
threads = 1
[[part]]
workload = "decode"
sizes = [1]
tokens = 2
[[part]]
workload = "prefill"
sizes = [4, 6]
[[part]]
measure = "quality"
chunks = 1
"""


class Experiment(Case):
    def test_grid(self):
        file = experiment("grid.toml", 'models = ["tiny", "tiny-mha"]\n' + SMALL.format(rounds=2))
        runs = self.json("experiment", file, "--no-plot")
        self.assertEqual([p["name"] for p in runs["parts"]],
                         ["decode, tiny", "decode, tiny-mha", "prefill, tiny", "prefill, tiny-mha", "quality, tiny",
                          "quality, tiny-mha"])
        for part in runs["parts"][:4]:
            self.assertEqual([len(p["rounds"]) for p in part["points"]], [2] * len(part["points"]))
        self.assertEqual(json.loads((SCRATCH / "grid.json").read_text()), runs)
        again = self.json("experiment", file, "--no-plot")  # complete: nothing is measured again
        self.assertEqual(again, runs)

    def test_types_are_quantized(self):
        file = experiment("types.toml", '[variants]\ntype = ["q8_0", "q4_0"]\n[[part]]\nmeasure = "quality"\nchunks = 1\n')
        (part,) = self.json("experiment", file, "--no-plot", "--restart")["parts"]
        self.assertEqual([v["name"] for v in part["variants"]], ["q8_0", "q4_0"])
        q8_0, q4_0 = part["points"][0]["results"]
        self.assertGreater(q8_0["bytes"], q4_0["bytes"])
        self.assertLess(q8_0["kl"], q4_0["kl"])

    def test_continues_after_an_interruption(self):
        file = experiment("stopped.toml", SMALL.format(rounds=400))
        stored = SCRATCH / "stopped.json"
        stored.unlink(missing_ok=True)
        child = subprocess.Popen([RUNG, "experiment", file, "--no-plot"], cwd=SCRATCH, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True)
        deadline = time.time() + 300
        while time.time() < deadline and child.poll() is None:
            if stored.is_file() and json.loads(stored.read_text())["parts"][1]["points"]:
                break
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 1, told)
        self.assertIn("interrupted", told)
        before = json.loads(stored.read_text())
        self.refused(1, "another version of this experiment", "experiment",
                     experiment("stopped.toml", SMALL.format(rounds=3)), "--no-plot")
        # The same file with fewer rounds, as if it had been so from the beginning.
        before["experiment"] = (SCRATCH / "stopped.toml").read_text()
        stored.write_text(json.dumps(before))
        after = self.json("experiment", file, "--no-plot")
        for part, old in zip(after["parts"], before["parts"]):
            for i, point in enumerate(old["points"]):
                count = len(point["rounds"])
                self.assertEqual(part["points"][i]["rounds"][:count], point["rounds"])
        self.assertEqual(after["date"], before["date"])
        other = {**before, "machine": {**before["machine"], "name": "another"}}
        stored.write_text(json.dumps(other))
        self.refused(1, "another machine", "experiment", file, "--no-plot")
        stored.write_text(json.dumps(before)[:1000])
        self.refused(1, "does not contain stored runs", "experiment", file, "--no-plot")

    def test_wrong_files(self):
        for text, words in (("x = ", "line 1: this is not TOML"),
                            ("", "has no part"),
                            ("colour = 1\n[[part]]\nworkload = 'decode'\n", "line 1: 'colour' is not a key of an experiment"),
                            ("[[part]]\n", "a part needs a workload"),
                            ("[[part]]\nworkload = 'decode'\nsizes = 3\n", "line 3: sizes must be an array"),
                            ("[[part]]\nworkload = 'decode'\ntokens = 0\n", "line 3: tokens is 0; it must be from 1"),
                            ("rounds = 'many'\n[[part]]\nworkload = 'decode'\n", "line 1: rounds must be a whole number"),
                            ("[[part]]\nmeasure = 'quality'\nworkload = 'decode'\n", "has no workload"),
                            ("[[part]]\nworkload = 'decode'\n[[part]]\nworkload = 'decode'\n", "two parts named 'decode'"),
                            ("[variants]\nattention = []\n[[part]]\nworkload = 'decode'\n", "must have at least one value"),
                            ("[[part]]\nworkload = 'decode'\n[part.options]\nthreads = [1, 2]\n", "must have one value")):
            self.refused(1, words, "experiment", experiment("wrong.toml", text), "--no-plot")
        self.refused(2, "nonsense", "experiment", experiment(
            "wrong.toml", "[variants]\nnonsense = ['a']\n[[part]]\nworkload = 'decode'\n"), "--no-plot")
        self.refused(1, "gone.toml", "experiment", "gone.toml", "--no-plot")

    def test_dry_run(self):
        file = experiment("dry.toml", "[variants]\ntype = ['q8_0', 'q4_0']\n[[part]]\nworkload = 'decode'\nsizes = [1, 2]\n")
        text = self.ok("experiment", file, "--dry-run")
        self.assertIn("decode: 2 variants (q8_0; q4_0), sizes 1, 2", text)
        self.assertFalse((SCRATCH / "dry.json").exists() or (SCRATCH / "dry_models").exists())


if __name__ == "__main__":
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    if not HAS_MATPLOTLIB:
        print("matplotlib is not installed: pictures are not tested")
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]])  # after SHARED_FOLDER: the names of single tests
