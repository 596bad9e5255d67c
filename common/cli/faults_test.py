#!/usr/bin/env python3
"""What must not happen to users of `rung`: lost files, silent wrong numbers, hangs, orphans.

usage: faults_test.py RUNG SCRATCH_FOLDER SHARED_FOLDER
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from cli_test import MEASURES_MEMORY, ROOT, RUNG, SCRATCH, Case, read, run, scratch

MODELS = os.path.join(ROOT, "models")


def shell(command, **kwargs):
    """A command line in which rung is $RUNG."""
    return subprocess.run(["bash", "-c", command], env={**os.environ, "RUNG": RUNG}, capture_output=True, timeout=300,
                          **kwargs)


def folder(name):
    path = scratch("faults_" + name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


class Streams(Case):
    def test_closed_streams_do_not_end_up_in_files(self):
        where = folder("streams")
        for closed in ("2>&-", "<&- 2>&-", "<&-"):
            for command, a, b in (("logits --tokens 1,2,3 -o", "a.bin", "b.bin"),
                                  ("synth --shape test-tiny --type f32", "a.gguf", "b.gguf"),
                                  ("quantize tiny --type q4_0", "q.gguf", "r.gguf")):
                one = shell(f'cd "{where}"; "$RUNG" {command} {a}')
                two = shell(f'cd "{where}"; "$RUNG" {command} {b} {closed}')
                self.assertEqual((one.returncode, two.returncode), (0, 0), two.stderr)
                self.assertEqual(read(os.path.join(where, a)), read(os.path.join(where, b)), f"{command} {closed}")

    def test_a_full_stderr_is_no_reason_to_fail(self):
        where = folder("full_stderr")
        self.assertEqual(shell(f'"$RUNG" quantize tiny "{where}/z.gguf" --type q4_0 2>/dev/full').returncode, 0)
        self.assertEqual(shell('"$RUNG" generate -p Hi -n 0 2>/dev/full').returncode, 2)
        self.assertEqual(shell('"$RUNG" generate -p Hi -m absent 2>/dev/full').returncode, 1)
        self.assertEqual(shell('"$RUNG" nothing 2>/dev/full').returncode, 2)

    def test_a_stdout_that_cannot_be_written_is_an_error(self):
        for command in ("--help", "--version", "ladder", "ladder --json", "inspect tiny", "generate -p Hi -n 4",
                        "generate -p Hi -n 4 --json", "generate --help"):
            for target in (">/dev/full", ">&-"):
                done = shell(f'"$RUNG" {command} {target}')
                self.assertEqual(done.returncode, 1, f"{command} {target}")
                self.assertIn(b"rung: the output could not be written", done.stderr, f"{command} {target}")

    def test_an_unreadable_stdin_is_no_empty_text(self):
        for source in ("</tmp", "<&-"):
            for command in ("generate -f - -n 3", "tokenize -f -", "perplexity -f -", "bench-serve --trace -",
                            "chat --no-template"):
                done = shell(f'"$RUNG" {command} {source}')
                self.assertEqual(done.returncode, 1, f"{command} {source}: {done.stderr}")
                self.assertIn(b"standard input", done.stderr, f"{command} {source}")


class Files(Case):
    def test_no_output_replaces_an_input(self):
        where = folder("inputs")
        model, text = os.path.join(where, "s.gguf"), os.path.join(where, "t.txt")
        reference = os.path.join(where, "ref")
        shutil.copy(os.path.join(MODELS, "draft.gguf"), model)
        with open(text, "w", encoding="utf-8") as file:
            file.write("Once upon a time there was a little girl who had a red ball. " * 12)
        os.symlink("s.gguf", os.path.join(where, "link.gguf"))
        os.link(model, os.path.join(where, "other.gguf"))
        self.ok("perplexity", "-m", model, "-f", text, "--ctx", 32, "--save-logits", reference)
        before = {name: read(os.path.join(where, name)) for name in os.listdir(where)}
        for output in (model, os.path.join(where, "link.gguf"), os.path.join(where, "other.gguf")):
            for args in (("logits", "-m", model, "--tokens", "1,2", "-o", output),
                         ("explain", "-m", model, "-p", "Hi", "-n", 2, "--trace-out", output),
                         ("perplexity", "-m", model, "-f", text, "--ctx", 32, "--save-logits", output),
                         ("convert", model, output)):
                self.refused(1, "is also read by this job", *args)
            self.assertNotEqual(run("quantize", model, output, "--type", "q8_0").returncode, 0)
            done = run("chat", "-m", model, "-n", 4, "--no-template", stdin=f"Hi\n/save {output}\n".encode())
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"is also read by this job", done.stderr)
        for args in (("logits", "-m", "draft", "-f", text, "-o", text),
                     ("perplexity", "-m", model, "-f", text, "--ctx", 32, "--save-logits", text),
                     ("perplexity", "-m", model, "-f", text, "--ctx", 32, "--kl", reference, "--save-logits", reference),
                     ("quantize", "tiny", text, "--type", "q4_k", "--imatrix", text)):
            self.refused(1, "is also read by this job", *args)
        self.assertEqual({name: read(os.path.join(where, name)) for name in os.listdir(where)}, before)

    def test_a_failure_leaves_the_older_output(self):
        where = folder("older")
        target = os.path.join(where, "g.bin")
        self.ok("logits", "-m", "draft", "--tokens", "1,2,3", "-o", target)
        before = read(target)
        self.refused(2, "outside the vocabulary", "logits", "-m", "draft", "--tokens", "1,5000", "-o", target)
        self.assertEqual(read(target), before)
        tokens = ",".join(str(i % 4000 + 4) for i in range(1000))
        for signals in (("INT",), ("TERM",), ("KILL",)):
            job = subprocess.Popen([RUNG, "logits", "--tokens", tokens, "-o", target, "--linear", "naive"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.7)
            for name in signals:
                job.send_signal(getattr(signal, "SIG" + name))
            self.assertNotEqual(job.wait(60), 0)
            self.assertEqual(read(target), before, signals)
        left = [name for name in os.listdir(where) if name != "g.bin"]
        self.assertLessEqual(len(left), 1, left)  # of the one that was killed

    def test_two_conversions_into_one_folder_do_not_mix(self):
        where = folder("race")
        target = os.path.join(where, "model")
        wanted = {kind: self.ok("logits", "-m", kind, "--tokens", "5,6", "-o", scratch("race.bin")) and
                  read(scratch("race.bin")) for kind in [self.converted(where, k) for k in ("f32", "bf16")]}
        for delay in (0, 0.01, 0.02, 0.04):
            jobs = []
            for kind in ("f32", "bf16"):
                jobs.append(subprocess.Popen([RUNG, "convert", "tiny", target, "--type", kind], stdout=subprocess.DEVNULL,
                                             stderr=subprocess.PIPE))
                time.sleep(delay)
            ends = [(job.wait(120), job.stderr.read()) for job in jobs]
            for job in jobs:
                job.stderr.close()
            self.assertIn(0, [code for code, _ in ends], ends)
            self.ok("logits", "-m", target, "--tokens", "5,6", "-o", scratch("race.bin"))
            self.assertIn(read(scratch("race.bin")), wanted.values())
        self.assertEqual([n for n in os.listdir(where) if ".part" in n], [])

    def converted(self, where, kind):
        path = os.path.join(where, kind)
        self.ok("convert", "tiny", path, "--type", kind)
        return path

    def test_a_failed_conversion_leaves_no_folder(self):
        where = folder("none")
        target = os.path.join(where, "model")
        done = subprocess.run(["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", RUNG, "convert", "tiny", target],
                              capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"File too large", done.stderr)
        self.assertEqual(os.listdir(where), [])

    def test_a_model_that_is_cut_while_it_is_used(self):
        model = scratch("cut.gguf")
        shutil.copy(os.path.join(MODELS, "tiny.gguf"), model)
        job = subprocess.Popen([RUNG, "generate", "-m", model, "-p", "Once", "-n", "900", "--ignore-eos", "--linear", "naive"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        job.stdout.read(1)
        os.truncate(model, 100000)
        _, told = job.communicate(timeout=120)
        self.assertEqual(job.returncode, 1)
        self.assertIn(b"cut.gguf' was shortened", told)


class Numbers(Case):
    def test_numbers_are_decimal_and_have_ranges(self):
        g = ("generate", "-m", "draft", "-p", "Hi", "-n", 1)
        self.assertEqual(self.json("generate", "-m", "draft", "-p", "Hi", "-n", "010", "--ignore-eos")["completion_tokens"], 10)
        self.assertEqual(self.json(*g, "--seed", "010")["seed"], 10)
        self.assertEqual(self.json(*g, "--seed", "18446744073709551615")["seed"], 18446744073709551615)
        for bad in ("18446744073709551616", "18446744073709551617", "-2", "1.5", "0x10", "nan", "", "1 "):
            self.refused(2, "--seed is", *g, "--seed", bad)
        for option in ("-n", "--samples", "--n", "--ctx", "--threads", "--top-k", "--stop-id", "--logprobs"):
            for bad in ("4294967300", "99999999999999999999", "-99999999999", "x", "1e3", "0x1", ""):
                done = run(*g[:5], option + ("" if option == "-n" else "=") + bad)
                self.assertEqual(done.returncode, 2, f"{option} {bad}: {done.stderr}")
                self.assertIn(b"must be" if bad else b"rung: ", done.stderr)
        for option in ("--temp", "--top-p", "--presence-penalty"):
            for bad in ("nan", "inf", "-inf", "1e39", "x"):
                self.refused(2, f"{option} is {bad}", *g, f"{option}={bad}")
        self.refused(2, "must be at least 0", *g, "--logit-bias=-1=1")
        for bad in ("1", "1=", "1=x", "=1", "1=nan", "99999999999=1", "1=1=1"):
            self.refused(2, "--logit-bias", *g, f"--logit-bias={bad}")
        self.refused(2, "vocabulary", *g, "--logprobs", 2000000000)
        self.refused(2, "4095", *g, "--logit-bias", "100000=1")

    def test_a_seed_of_minus_one_is_random_and_told(self):
        seeds = set()
        for _ in range(3):
            done = run("generate", "-m", "draft", "-p", "Hi", "-n", 2, "--seed", -1, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            seed = json.loads(done.stdout)["seed"]
            self.assertIn(f"--seed {seed}".encode(), done.stderr)
            seeds.add(seed)
        self.assertEqual(len(seeds), 3)

    def test_lengths_do_not_wrap(self):
        serve = ("bench-serve", "-m", "draft", "--requests", 1)
        for bad in ("4294967300", "4294967298", "99999999999", "0", "-5", "5-", "9-5", "1-99999999999", "1x", "1-2-3"):
            self.refused(2, "is no length", *serve, f"--prompt-tokens={bad}")
            self.refused(2, "is no length", *serve, f"--output-tokens={bad}")
        most = 1 << 28
        limit = "ulimit -v 3000000; " if MEASURES_MEMORY else ""  # a sanitizer's shadow memory counts too
        limited = shell(f'{limit}"$RUNG" bench-serve -m draft --requests 1 --prompt-tokens {most} '
                        f'--output-tokens {most}')
        self.assertEqual(limited.returncode, 2, limited.stderr)
        self.assertIn(b"the longest request has 536870912 tokens", limited.stderr)
        for bad in ("nan", "inf", "-1"):
            self.refused(2, "--slo-ttft is", *serve, f"--slo-ttft={bad}")

    def test_no_infinity_in_plans(self):
        for option, bad in (("--bandwidth", "1e-300"), ("--flops", "1e-300"), ("--bandwidth", "inf"), ("--flops", "1e300")):
            machine = {"--bandwidth": "1e10", "--flops": "1e12", option: bad}
            self.refused(2, f"{option} is {bad}", "plan", "--latency", "--shape", "llama-3-8b",
                         *[word for pair in machine.items() for word in pair])
        told = self.ok("plan", "--latency", "--shape", "llama-3-8b", "--bandwidth", 1, "--flops", 1, "--json")
        self.assertNotIn(b"null", told)
        self.refused(2, "--stride is 0", "perplexity", "-f", "-", "--stride", 0, stdin=b"a b c")

    def test_a_cache_of_limits_that_cannot_be_used(self):
        home = folder("cache")
        os.makedirs(os.path.join(home, "rung", "limits.json"))
        done = run("bench", "-m", "draft", "-p", 4, "-n", 2, "-r", 1, env={"XDG_CACHE_HOME": home})
        self.assertEqual(done.returncode, 0, done.stderr)


class Hangs(Case):
    def test_samples_that_end_at_their_first_token(self):
        out = self.json("generate", "-p", "Once upon a time", "-n", 1, "--samples", 4, "--seed", 1)
        self.assertEqual([len(s["token_ids"]) for s in out["samples"]], [1] * 4)
        args = ("generate", "-p", "Once upon a time there was a", "-n", 6, "--samples", 16, "--seed", 1, "--temp", 1)
        first = [s["token_ids"][0] for s in self.json(*args, "--ignore-eos")["samples"]]
        for stop in set(first):
            out = self.json(*args, "--stop-id", stop, "--ignore-eos")
            self.assertEqual([len(s["token_ids"]) == 1 for s in out["samples"]], [token == stop for token in first])

    def test_a_cache_that_is_full_of_the_beginning(self):
        out = self.json("bench-serve", "-m", "draft", "--requests", 2, "--prompt-tokens", 20, "--output-tokens", 2,
                        "--shared-prefix", 8, "--max-sequences", 1)
        self.assertEqual(out["requests"], 2)
        long = "Tell me about the sea and the ships that sail on it and the birds above the waves and the sun."
        out = self.json("chat", "--ctx", 64, "-n", 20, "--temp", 0, "--no-template", stdin=f"Hello there.\n{long}\n".encode())
        self.assertEqual(len(out["turns"]), 2)

    def test_recomputed_tokens(self):
        out = self.json("bench-serve", "-m", "draft", "--threads", 1, "--engine", "vllm", "--scheduler", "dynamic_batch",
                        "--policy", "adaptive", "--block-size", 8, "--requests", 9, "--prompt-tokens", 15, "--output-tokens", 17,
                        "--seed", 90, "--shared-prefix", 15, "--max-sequences", 16, "--max-step-tokens", 2, "--ctx", 64,
                        "--kv-budget", "98304B")
        self.assertGreater(out["preemptions"], 0)
        needed = out["prompt_tokens"] + out["output_tokens"] - out["requests"]
        self.assertEqual(out["recomputed_tokens"], out["computed_tokens"] + out["cached_tokens"] - needed)

    def test_a_signal_ends_the_demo_and_its_child(self):
        for signals in (1, 2):
            job = subprocess.Popen([RUNG, "demo", "-n", "900"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.5)
            children = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True).stdout.split()
            for _ in range(signals):
                job.send_signal(signal.SIGTERM)
                time.sleep(0.2)
            self.assertNotEqual(job.wait(10), 0)
            time.sleep(0.2)
            for child in children:
                state = f"/proc/{child}/stat"
                self.assertFalse(os.path.exists(state) and read(state).split()[2] != b"Z", f"child {child} is still there")


class Traces(Case):
    def trace(self, text, *args):
        path = scratch("faults.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return ("bench-serve", "-m", "draft", "--trace", path, *args)

    def test_dates_with_a_zone(self):
        for a, b in (("2024-05-10 00:00:00.009930+00:00", "2024-05-10 00:00:00.209930+00:00"),
                     ("2024-05-10T00:00:00Z", "2024-05-10T00:00:00.2Z"),
                     ("2024-05-10 01:59:59.9+02:00", "2024-05-09T23:00:00.1-01:00"),
                     ("0", "0.2")):
            out = self.json(*self.trace(f"TIMESTAMP,ContextTokens,GeneratedTokens\n{a},21,5\n{b},30,3\n", "--arrivals", "trace"))
            self.assertEqual(out["requests"], 2)
            self.assertGreater(out["duration_s"], 0.2)

    def test_a_file_without_a_header_keeps_its_first_request(self):
        self.assertEqual(self.json(*self.trace("0,10,2\n1,12,3\n"))["requests"], 2)
        self.assertEqual(self.json(*self.trace("name,10,2\nother,12,3\n"))["requests"], 2)

    def test_a_field_that_is_no_time_is_named(self):
        for bad in ("2024-05-10 18:17:-3", "2024-05-10 24:00:00", "2024-02-30 00:00:00", "2024-05-10 00:00:00+1", "1e", "0x10",
                    "2024-05-10 00:00:00.", "12:00"):
            self.refused(1, f"line 3: '{bad}' is not a time", *self.trace(f"t,p,g\n0,10,2\n{bad},12,3\n"))

    def test_a_rate_of_inf_is_all_at_once(self):
        out = self.json("bench-serve", "-m", "draft", "--requests", 3, "--output-tokens", 2, "--rate", "inf")
        self.assertEqual((out["rate"], out["arrivals"]), (0, "at once"))
        for bad in ("nan", "-1", "infinite", "-inf"):
            self.refused(2, "--rate is", "bench-serve", "-m", "draft", f"--rate={bad}")


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
