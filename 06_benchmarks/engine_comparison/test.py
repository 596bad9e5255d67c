#!/usr/bin/env python3
"""Tests of compare.py: test.py RUNG. Fake engines with known speeds, engines that fail, and Rung itself."""
import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import compare
import judge

RUNG = sys.argv[1] if len(sys.argv) > 1 else ""
TINY = compare.HERE.parent.parent / "models" / "tiny.gguf"

FAKE = """
import os, time
from worker import Absent, main
class Engine:
    calls = 0
    @staticmethod
    def probe(): return "1.0"
    def __init__(self, job):
        self.weights = job["type"]
    def measure(self, prompt, new):
        Engine.calls += 1
        with open(os.environ["FAKE_LOG"], "a") as log: log.write("{name} ")
        {body}
main(Engine)
"""


class Compare(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)

    def fake(self, name: str, body: str) -> str:
        (self.path / f"{name}.py").write_text(FAKE.format(name=name, body=body))
        return name

    def run_with(self, names: list, *more: str) -> dict:
        """Compares the fakes in place of engines."""
        a = compare.arguments(["-m", str(TINY), "--types", "q8_0", "-p", "10", "-n", "4", "-r", "3", "--rung", RUNG, "--no-limits",
                               "--engines", ",".join(names), "--work", str(self.path / "work"), "--threads", "1", *more])
        file_of = lambda c: self.path / f"{c.name}.py"  # noqa: E731
        with mock.patch.dict(compare.ENGINES, {n: n for n in names}), mock.patch.dict("os.environ", FAKE_LOG=str(self.path / "log")), \
                mock.patch.object(compare.Contestant, "file", property(file_of, lambda c, value: None), create=True), \
                contextlib.redirect_stderr(io.StringIO()):
            return compare.Comparison(a).run()

    def test_medians_and_ratios_leave_the_first_round_out(self):
        slow = "return ((9.0, 9.0), (9.0, 9.0), (1.0, 0.0), (0.1, 2.0), (2.0, 0.0), (0.1, 2.0), (4.0, 0.0), (0.1, 4.0))[self.calls - 1]"
        twice = slow.replace("[self.calls - 1]", "[self.calls - 1]").replace("return (", "return tuple(x / 2 for x in (") + ")"
        result = self.run_with([self.fake("one", slow), self.fake("two", twice)])
        one, two = result["types"][0]["rows"]
        self.assertEqual(one["prefill"]["samples"], [10.0, 5.0, 2.5])
        self.assertEqual(one["prefill"]["tok_s"], 5.0)
        self.assertEqual(one["decode"]["samples"], [2.0, 2.0, 1.0])
        self.assertEqual((two["prefill"]["times_rung"], two["decode"]["times_rung"]), (2.0, 2.0))
        self.assertEqual((one["decode"]["min"], one["decode"]["max"]), (1.0, 2.0))

    def test_several_sequences_where_an_engine_can(self):
        can = self.fake("can", "return 1.0, 1.0\n    def measure_batch(self, sequences, new): return sequences * new / 80.0")
        result = self.run_with([can, self.fake("cannot", "return 1.0, 1.0")], "-b", "16")
        one, two = result["types"][0]["rows"]
        self.assertEqual(one["batch"]["samples"], [80.0, 80.0, 80.0])
        self.assertNotIn("batch", two)
        self.assertEqual(len(two["decode"]["samples"]), 3)
        rows = [line for line in compare.table(result).splitlines() if line.startswith("|")]
        self.assertEqual(len({line.count("|") for line in rows}), 1, rows)

    def test_as_is_takes_the_file_that_was_given(self):
        self.fake("where", "return 1.0, 1.0")
        text = (self.path / "where.py").read_text().replace('job["type"]', 'job["type"] + " " + job["gguf"] + job["hf"]')
        (self.path / "where.py").write_text(text)
        result = self.run_with(["where"], "--types", "as_is")
        self.assertEqual(result["types"][0]["rows"][0]["weights"], f"f16 {TINY}")
        self.assertFalse(list((self.path / "work").glob("*/*")), "nothing is converted")

    def test_a_table_of_llama_batched_bench(self):
        sys.path.insert(0, str(compare.HERE / "engines"))
        from llama_bench import seconds_in_table
        head = "|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |\n"
        rows = ("|-------|--------|------|--------|----------|----------|----------|----------|----------|----------|\n"
                "|     1 |     24 |   16 |    400 |    0.081 |   197.53 |    1.943 |   197.63 |    2.024 |   197.63 |\n")
        self.assertEqual(seconds_in_table("ggml said something\n" + head + rows), 1.943)
        with self.assertRaises(RuntimeError):
            seconds_in_table(head)

    def test_turns_rotate(self):
        self.run_with([self.fake(n, "return 1.0, 1.0") for n in ("a", "b", "c")])
        turns = (self.path / "log").read_text().split()
        firsts = [turns[6 * t:6 * t + 6] for t in range(4)]
        self.assertEqual(firsts[0], ["a", "a", "b", "b", "c", "c"])
        self.assertEqual(firsts[1], ["b", "b", "c", "c", "a", "a"])
        self.assertEqual(len(turns), 24)

    def test_absent_and_broken_engines_are_named_and_the_others_go_on(self):
        names = [self.fake("good", "return 1.0, 1.0"),
                 self.fake("gone", "raise Absent('it has no such weights')"),
                 self.fake("raises", "return [][1]"),
                 self.fake("dies", "print('out of luck', flush=True); os._exit(3)"),
                 self.fake("lies", "return 0.0, 0.0")]
        result = self.run_with(names)
        kind = result["types"][0]
        self.assertEqual([row["engine"] for row in kind["rows"]], ["good"])
        self.assertEqual(kind["absent"]["gone"], "it has no such weights")
        self.assertIn("IndexError", kind["absent"]["raises"])
        self.assertEqual(kind["absent"]["dies"], "its process ended with status 3: out of luck")
        self.assertIn("prefill took 0.0 s", kind["absent"]["lies"])
        text = compare.table(result)
        self.assertIn("| q8_0 | good (1.0) | 10 (10 to 10) | 1.00 |", text)
        self.assertIn("Absent for q8_0: dies: its process ended", text)

    def test_two_models_in_one_folder_do_not_share_converted_weights(self):
        self.fake("where", "return 1.0, 1.0")
        text = (self.path / "where.py").read_text().replace('job["type"]', 'job["work"]')
        (self.path / "where.py").write_text(text)
        first = self.run_with(["where"])["types"][0]["rows"][0]["weights"]
        other = self.path / "tiny.gguf"
        other.write_bytes(TINY.read_bytes())
        second = self.run_with(["where"], "-m", str(other))["types"][0]["rows"][0]["weights"]
        self.assertEqual(Path(first).parent, Path(second).parent)
        self.assertNotEqual(first, second)

    def test_no_engine_at_all(self):
        with self.assertRaisesRegex(SystemExit, "no engine could run: gone: no"):
            self.run_with([self.fake("gone", "raise Absent('no')")])

    def test_arguments(self):
        for bad, sentence in ((["-p", "0"], "at least 1"), (["--rung", "/nothing"], "there is no program /nothing")):
            with self.assertRaisesRegex(SystemExit, sentence):
                compare.arguments(bad)
        a = compare.arguments(["--rung", RUNG, "--engines", "rung,abacus"])
        with self.assertRaisesRegex(SystemExit, "no engine 'abacus'; choose one of: rung, llama_cpp"):
            compare.Comparison(a).contestants()

    def test_rung_itself_with_a_variant_table_and_plot(self):
        out = self.path / "out"
        given = ["compare.py", "-m", str(TINY), "--types", "q4_0", "-p", "20", "-n", "5", "-r", "2", "--rung", RUNG, "--no-limits",
                 "--engines", "rung", "--variant", "packed=--linear packed", "--out", str(out), "--work", str(self.path / "w")]
        with mock.patch.object(sys, "argv", given), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            compare.main()
        result = json.loads((out / "comparison.json").read_text())
        rows = result["types"][0]["rows"]
        self.assertEqual([r["engine"] for r in rows], ["rung", "rung packed"])
        for row in rows:
            self.assertEqual(len(row["decode"]["samples"]), 2)
            self.assertGreater(row["prefill"]["tok_s"], 0)
            self.assertLess(row["peak_rss_bytes"], 500e6)
        if importlib.util.find_spec("matplotlib"):
            self.assertGreater((out / "comparison.png").stat().st_size, 5000)
            self.assertIn("<svg", (out / "comparison.svg").read_text())
        self.assertIn("| q4_0 | rung packed (rung ", (out / "comparison.md").read_text())

    def test_llama_bench_is_asked_for_one_thing_at_a_time(self):
        program = self.path / "llama-bench"
        program.write_text("#!/bin/sh\necho \"$@\" >>" + str(self.path / "asked") +
                           "\ncase \"$*\" in *bad.gguf*) echo 'no such model' >&2; exit 1;; esac\n"
                           "echo '[{\"avg_ns\": 500000000, \"n_prompt\": 8}]'\n")
        program.chmod(0o755)
        environment = {"PATH": "/usr/bin:/bin", "LLAMA_BENCH": str(program), "PYTHONPATH": str(compare.HERE / "engines")}
        worker = compare.Worker(compare.HERE / "engines" / "llama_cpp.py", environment)
        self.addCleanup(worker.close)
        self.assertEqual(worker.ask(do="probe")["version"], f"llama-bench at {program}")
        job = {"gguf": "m.gguf", "type": "q4_0", "threads": 3, "ctx": 64}
        self.assertEqual(worker.ask(do="load", job=job), {"weights": "q4_0"})
        prefill = worker.ask(do="measure", prompt=[1] * 8, new=1)
        decode = worker.ask(do="measure", prompt=[1], new=17)
        self.assertEqual((prefill["first_s"], prefill["rest_s"]), (0.5, 0.0))
        self.assertEqual((decode["first_s"], decode["rest_s"]), (0.0, 0.5))
        asked = (self.path / "asked").read_text().splitlines()
        self.assertIn("-m m.gguf -p 8 -n 0 -r 1 -t 3", asked[0])
        self.assertIn("-m m.gguf -p 0 -n 16 -r 1 -t 3", asked[1])
        worker.ask(do="load", job={**job, "gguf": "bad.gguf"})
        self.assertIn("no such model", worker.ask(do="measure", prompt=[1], new=2)["error"])

    def test_the_judge_tells_adapters_apart(self):
        self.assertEqual(judge.judge(RUNG, compare.HERE / "engines" / "rung_cli.py"), "")
        with mock.patch.dict("os.environ", FAKE_LOG=str(self.path / "log")):
            self.fake("idle", "time.sleep(0.001); return 0.001, 0.001")
            self.assertIn("does not write as many", judge.judge(RUNG, self.path / "idle.py"))
            self.fake("broken", "return None")
            self.assertIn("failed", judge.judge(RUNG, self.path / "broken.py"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
