#!/usr/bin/env python3
"""Runs the `rung` program as its users do: contract.md's commands, JSON fields and exit codes, and bad input.

usage: cli_test.py RUNG SCRATCH_FOLDER SHARED_FOLDER
"""

import json
import math
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

RUNG, SCRATCH, SHARED = sys.argv[1:4]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TINY = os.path.join(ROOT, "models", "tiny.gguf")
STORIES = os.path.join(SHARED, "models", "stories260K-f32.gguf")


# A sanitizer's shadow memory counts as the program's.
MEASURES_MEMORY = not os.environ.get("RUNG_SANITIZE")


def run(*args, stdin=None, env=None):
    return subprocess.run([RUNG, *map(str, args)], input=stdin, capture_output=True, timeout=300,
                          env={**os.environ, **(env or {})})


def read(path):
    with open(path, "rb") as f:
        return f.read()


def scratch(name):
    return os.path.join(SCRATCH, name)


class Case(unittest.TestCase):
    def ok(self, *args, **kwargs):
        done = run(*args, **kwargs)
        self.assertEqual(done.returncode, 0, f"{args}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def json(self, *args, **kwargs):
        return json.loads(self.ok(*args, "--json", **kwargs))  # exactly one document, nothing else

    def refused(self, code, words, *args, **kwargs):
        done = run(*args, **kwargs)
        told = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, code, f"{args}: {told}")
        self.assertIn(words, told)
        lines = [line for line in told.splitlines() if line.startswith("rung: ")]
        self.assertLessEqual(len(lines), 1, told)
        self.assertEqual(done.stdout, b"")


class Generate(Case):
    def test_json_fields(self):
        out = self.json("generate", "-p", "Once upon a time", "-n", 12, "--temp", 0)
        for field in ("text", "token_ids", "prompt_tokens", "completion_tokens", "finish_reason"):
            self.assertIn(field, out)
        self.assertEqual(set(out["timings"]), {"load_s", "ttft_s", "prefill_tok_s", "decode_tok_s"})
        self.assertLessEqual({"weights_bytes", "kv_bytes", "peak_rss_bytes"}, set(out["memory"]))
        self.assertEqual(set(out["rungs"]), {"attention", "fusion", "kv", "linear", "loading", "policy", "prefix_cache", "rope", "sampler",
                                             "scheduler"})
        self.assertEqual(out["completion_tokens"], len(out["token_ids"]))
        self.assertGreater(out["timings"]["decode_tok_s"], 0)

    def test_continuation_alone_and_echo(self):
        plain = self.ok("generate", "-p", "The king", "-n", 8, "--temp", 0)
        echo = self.ok("generate", "-p", "The king", "-n", 8, "--temp", 0, "--echo")
        self.assertEqual(echo, b"The king" + plain)
        self.assertEqual(plain.decode(), self.json("generate", "-p", "The king", "-n", 8, "--temp", 0)["text"] + "\n")

    def test_seed_repeats_on_any_thread_count(self):
        args = ("generate", "-p", "The king", "-n", 30, "--temp", 1.1, "--top-p", 0.95, "--seed", 5)
        one = self.json(*args, "--threads", 1)["text"]
        self.assertEqual(one, self.json(*args, "--threads", 2)["text"])
        other = self.json(*args[:-1], 6)["text"]
        self.assertNotEqual(one, other)

    def test_prompt_from_file_and_stdin(self):
        with open(scratch("prompt.txt"), "w") as f:
            f.write("The king")
        direct = self.ok("generate", "-p", "The king", "-n", 5, "--temp", 0)
        self.assertEqual(direct, self.ok("generate", "-f", scratch("prompt.txt"), "-n", 5, "--temp", 0))
        self.assertEqual(direct, self.ok("generate", "-f", "-", "-n", 5, "--temp", 0, stdin=b"The king"))

    def test_folder_and_gguf_give_the_same_text(self):
        args = ("-p", "Once upon a time", "-n", 30, "--temp", 0)
        self.assertEqual(self.ok("generate", "-m", os.path.join(ROOT, "models", "tiny"), *args),
                         self.ok("generate", "-m", TINY, *args))

    def test_stop_logprobs_bias(self):
        text = self.json("generate", "-p", "Once upon a time", "-n", 30, "--temp", 0, "--ignore-eos")["text"]
        stop = text[12:16]
        cut = self.json("generate", "-p", "Once upon a time", "-n", 30, "--temp", 0, "--ignore-eos", "--stop", stop)
        self.assertEqual(cut["text"], text[:text.find(stop)])
        self.assertEqual(cut["finish_reason"], "stop")
        out = self.json("generate", "-p", "Once", "-n", 3, "--temp", 0, "--logprobs", 3, "--logit-bias", "300=100",
                        "--ignore-eos")
        self.assertEqual(out["token_ids"], [300, 300, 300])
        self.assertEqual(len(out["logprobs"][0]["top"]), 3)
        self.assertLessEqual(out["logprobs"][0]["logprob"], out["logprobs"][0]["top"][0]["logprob"])

    def test_empty_prompt_starts_a_text(self):
        self.assertEqual(self.json("generate", "-p", "", "-n", 3, "--temp", 0)["prompt_tokens"], 1)

    def test_rungs_and_presets(self):
        out = self.json("generate", "-p", "a", "-n", 2, "--engine", "naive", "--set", "attention=online_softmax")
        self.assertEqual(out["rungs"]["attention"], "online_softmax")
        self.assertEqual(out["rungs"]["linear"], "naive")

    def test_the_default_takes_the_best_rung_of_every_format(self):
        model = scratch("cli_best.gguf")
        # A quantization writes further formats for some tensors; only mxfp8 has no integers to compute with.
        for kind in ("q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "mxfp4"):
            self.json("quantize", "tiny", model, "--type", kind)
            job = ("generate", "-m", model, "-p", "Once", "-n", 4, "--temp", 0)
            out = self.json(*job)
            self.assertEqual(out["rungs"]["linear"], "packed", kind)
            self.assertEqual(self.json(*job, "--exact")["rungs"]["linear"], "simd", kind)
            self.assertEqual(out["token_ids"], self.json(*job, "--linear", "int8")["token_ids"], kind)
            self.assertGreater(out["memory"]["packed_bytes"], 0.9 * out["memory"]["weights_bytes"], kind)
            in_place = self.json(*job, "--linear", "in_place")
            self.assertEqual((in_place["rungs"]["linear"], in_place["memory"]["packed_bytes"]), ("simd", 0))
        self.json("quantize", "tiny", model, "--type", "bf16")
        self.assertIn(self.json(*job)["rungs"]["linear"], ("panels", "bf16_dot", "bf16_tiles"))  # by the processor
        os.remove(model)
        embedded = {name: self.json("generate", "-m", name, "-p", "Once", "-n", 2)["rungs"]["linear"]
                    for name in ("tiny", "tiny-mha", "draft", "moe")}
        self.assertEqual(embedded, {"tiny": "panels", "tiny-mha": "packed", "draft": "panels", "moe": "panels"})

    def test_exact_rounds_nothing(self):
        job = ("generate", "-p", "Once upon a time", "-n", 40, "--temp", 0)
        naive = self.json(*job, "--engine", "naive")
        for choice in (("--exact",), ("--engine", "exact"), ("--engine", "vllm", "--exact")):
            exact = self.json(*job, *choice)
            self.assertEqual(exact["text"], naive["text"], choice)
            self.assertEqual(exact["memory"]["kv_type"], "f32", choice)
        self.assertEqual(self.json(*job, "--exact", "--kv-type", "q8_0")["memory"]["kv_type"], "q8_0")

    def test_rungs_by_name(self):
        self.refused(1, "rung 'packed' of seam linear does not support", "generate", "-m", "tiny", "-p", "a",
                     "--linear", "packed")
        self.refused(1, "rung 'packed,int8' of seam linear does not support", "generate", "-m", "tiny", "-p", "a",
                     "--linear", "packed,int8")
        self.refused(2, "seam linear has no rung 'pact'", "generate", "-m", "tiny", "-p", "a", "--linear", "packed,pact")
        # The first of several that supports a weight.
        out = self.json("generate", "-m", "tiny", "-p", "Once", "-n", 8, "--temp", 0, "--linear", "packed,simd,auto")
        self.assertEqual(out["rungs"]["linear"], "simd")

    @unittest.skipUnless(MEASURES_MEMORY, "a sanitizer's own memory would be counted")
    def test_packed_weights_take_the_place_of_the_file(self):
        model = scratch("cli_packed.gguf")
        self.json("synth", model, "--shape", "smollm2-135m", "--type", "q8_0")
        memory = self.json("generate", "-m", model, "-p", "a", "-n", 4, "--temp", 0, "--ctx", 64,
                           "--set", "loading=mmap")["memory"]
        os.remove(model)
        self.assertGreater(memory["packed_bytes"], 0.9 * memory["weights_bytes"])
        self.assertLess(memory["file_bytes"], 0.3 * memory["weights_bytes"])
        self.assertLess(memory["peak_rss_bytes"], 1.5 * memory["weights_bytes"])

    def test_packed_weights_are_kept_beside_the_model(self):
        model = scratch("kept.gguf")
        shutil.copyfile(TINY, model)
        wanted = ["generate", "-m", model, "-p", "Once upon a time", "-n", 12, "--temp", 0, "--linear", "panels"]
        kept = model + ".packed-panels"
        if os.path.exists(kept):  # of a test that was interrupted
            os.remove(kept)
        text = self.ok(*wanted)
        self.assertFalse(os.path.exists(kept))
        for told in ("packed weights written to", "", "will be written anew", ""):
            if told == "will be written anew":
                with open(kept, "r+b") as f:
                    f.truncate(os.path.getsize(kept) // 2)
            done = run(*wanted, "--cache-packed")
            self.assertEqual((done.returncode, done.stdout), (0, text))
            self.assertIn(told, done.stderr.decode())
            self.assertEqual(bool(done.stderr), bool(told))
        memory = self.json(*wanted, "--cache-packed")["memory"]
        self.assertEqual(memory["packed_file_bytes"], memory["packed_bytes"])

    def test_ways_of_loading_give_the_same_text(self):
        model = scratch("cli_loading.gguf")
        self.json("synth", model, "--shape", "smollm2-135m", "--type", "q8_0")
        runs = {rung: self.json("generate", "-m", model, "-p", "a", "-n", 4, "--temp", 0, "--set", f"loading={rung}",
                                "--linear", "in_place")  # weights stay where they were loaded
                for rung in ("read", "mmap", "mmap_prefetch")}
        for rung, out in runs.items():
            self.assertEqual(out["rungs"]["loading"], rung)
            self.assertEqual(out["token_ids"], runs["read"]["token_ids"])
        if MEASURES_MEMORY:
            weights = runs["read"]["memory"]["weights_bytes"]
            self.assertGreater(runs["read"]["memory"]["private_bytes"], weights)
            self.assertLess(runs["mmap"]["memory"]["private_bytes"], weights // 2)
            self.assertGreater(runs["mmap"]["memory"]["file_bytes"], weights // 2)
        self.refused(2, "seam loading has no rung 'tape'", "generate", "-p", "a", "--set", "loading=tape")
        self.assertEqual(self.json("generate", "-p", "a", "-n", 4, "--engine", "llama_cpp")["rungs"]["loading"],
                         "mmap_prefetch")
        os.remove(model)

    def test_ctrl_c_stops_cleanly(self):
        process = subprocess.Popen([RUNG, "generate", "-p", "Once", "-n", "400", "--ignore-eos", "--engine", "naive", "--json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            self.skipTest("the machine was faster than the signal")
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"interrupted", err)
        if out:
            self.assertEqual(json.loads(out)["finish_reason"], "cancelled")

    def test_bad_input(self):
        g = ("generate", "-p", "hello")
        self.refused(2, "-n is 0", *g, "-n", 0)
        self.refused(2, "-n is -4", *g, "-n", -4)
        self.refused(2, "--temp is nan", *g, "--temp", "nan")
        self.refused(2, "--temp is -1", *g, "--temp", -1)
        self.refused(2, "top", *g, "--top-p", 0)
        self.refused(2, "top", *g, "--top-k", -3)
        self.refused(2, "--ctx is -1", *g, "--ctx", -1)
        self.refused(2, "trained for", *g, "--ctx", 1 << 20)
        self.refused(2, "--threads is -2", *g, "--threads", -2)
        self.refused(2, "the prompt has", "generate", "-p", "word " * 3000)
        self.refused(2, "no rung 'fastest'; choose one of: auto, float32, in_place, naive", *g, "--attention", "fastest")
        self.refused(2, "unknown seam", *g, "--set", "router=x")
        self.refused(2, "SEAM=NAME", *g, "--set", "attention")
        self.refused(2, "seam scheduler has no rung 'fifo'", *g, "--scheduler", "fifo")
        self.refused(2, "--speculate", *g, "--speculate", "draft")
        self.refused(2, "unknown engine preset", *g, "--engine", "warp")
        self.refused(2, "unknown device", *g, "--device", "tpu")
        self.refused(1, "cuda", *g, "--device", "cuda")
        self.refused(2, "ID=VALUE", *g, "--logit-bias", "x=1")
        self.refused(2, "outside the vocabulary", *g, "--stop-id", 999999)
        self.refused(2, "no text", "generate", "-n", 3)
        self.refused(1, "cannot read", "generate", "-f", scratch("absent.txt"))
        self.refused(1, "folder", "generate", "-f", SCRATCH)
        self.refused(1, "no model 'absent'", *g, "-m", "absent")
        self.refused(1, "GGUF", *g, "-m", os.path.join(ROOT, "README.md"))
        self.refused(2, "RUNG_SIMD", *g, env={"RUNG_SIMD": "sse9"})
        for args in ((), ("fly",), ("generate", "--colour"), (*g, "-n", "many"), (*g, "-f", "x")):
            self.assertEqual(run(*args).returncode, 2, args)

    def test_mine_says_that_it_is_not_started(self):
        for option in (("--attention", "mine"), ("--linear", "mine"), ("--sampler", "mine")):
            done = run("generate", "-p", "a", "-n", 3, "--temp", 1, "--top-p", 0.5, *option)
            if done.returncode != 0:  # a learner's clone may hold a solution
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"mine.cpp", done.stderr)

    def test_truncated_models(self):
        whole = read(TINY)
        path = scratch("truncated.gguf")
        for size in (0, 3, 8, 23, 100, 5000, len(whole) // 2, len(whole) - 1):
            with open(path, "wb") as f:
                f.write(whole[:size])
            done = run("generate", "-m", path, "-p", "a", "-n", 1)
            self.assertEqual(done.returncode, 1, size)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)


class Others(Case):
    def test_help_and_version(self):
        self.refused(2, "there is no command 'genrate'; did you mean generate? rung --help lists all", "genrate", "-p", "x")
        for args in (("--help",), ("generate", "--help"), ("--version",)):
            self.ok(*args)

    def test_tokenize_round_trip(self):
        text = "Once upon a time, \u00e9\u4e2d\U0001f600 there"
        ids = json.loads(self.ok("tokenize", "--no-bos", text))
        self.assertEqual(ids, self.json("tokenize", "--no-bos", text))
        self.assertEqual(self.json("detokenize", *ids)["text"], text)
        self.assertEqual(self.ok("detokenize", *ids).decode(), text + "\n")
        self.assertEqual(json.loads(self.ok("tokenize", "--no-bos", "")), [])
        self.refused(2, "outside the vocabulary", "detokenize", 5000000)

    def test_logits_file(self):
        path = scratch("logits.bin")
        out = self.json("logits", "--tokens", "1,2,3", "-o", path)
        data = read(path)
        self.assertEqual(len(data), 4 * out["tokens"] * out["vocab"])
        values = struct.unpack(f"<{len(data) // 4}f", data)
        self.assertTrue(all(map(math.isfinite, values)))
        self.assertGreater(max(values) - min(values), 1)
        self.refused(2, "--tokens is -2", "logits", "--tokens", "1,-2", "-o", path)
        self.refused(1, "cannot write", "logits", "--tokens", "1", "-o", scratch("no/such/folder"))
        self.refused(2, "no text", "logits", "-o", path)
        self.refused(2, "give one of them", "logits", "--tokens", "1", "-p", "x", "-o", path)

    def test_a_model_without_a_tokenizer_runs_on_ids(self):
        folder, gguf, back = scratch("bare"), scratch("bare.gguf"), scratch("bare_again")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, "common/model/parity/models/qwen3"), folder)
        os.remove(os.path.join(folder, "tokenizer.json"))
        self.ok("convert", folder, gguf)
        self.ok("convert", gguf, back)
        logits = []
        for model in (folder, gguf, back):
            self.ok("logits", "-m", model, "--tokens", "1,2,3", "-o", scratch("bare.bin"))
            logits.append(read(scratch("bare.bin")))
            self.refused(1, "has no tokenizer", "generate", "-m", model, "-p", "a", "-n", 1)
            self.refused(1, "has no tokenizer", "tokenize", "-m", model, "a")
        self.assertEqual(logits[0], logits[1])
        self.assertEqual(logits[0], logits[2])
        self.assertEqual(self.json("inspect", gguf)["model"]["tokenizer"], "none")

    def test_perplexity(self):
        text, saved = scratch("perplexity.txt"), scratch("cli.rungref")
        with open(text, "w") as f:
            f.write("Once upon a time there was a little girl. " * 20)
        out = self.json("perplexity", "-f", text, "--ctx", 32, "--save-logits", saved)
        self.assertLessEqual({"ppl", "nll", "tokens", "bits_per_byte", "nll_stderr"}, set(out))
        self.assertAlmostEqual(out["ppl"], math.exp(out["nll"]))
        self.assertEqual(out["tokens"], out["text_tokens"] - out["windows"])
        strided = self.json("perplexity", "-f", text, "--ctx", 32, "--stride", 8)
        self.assertEqual(strided["bytes"], os.path.getsize(text))
        self.assertLess(strided["nll"], out["nll"])  # more context
        self.assertLess(self.json("perplexity", "-f", text, "--ctx", 32, "--kl", saved)["kl"]["mean"], 1e-6)
        self.assertIn("KL divergence", self.ok("perplexity", "-f", text, "--ctx", 32, "--kl", saved).decode())
        self.assertEqual(os.path.getsize(saved), 56 + len("tiny.gguf") - 4 + out["tokens"] * (16 + 2 * 4096))
        p = ("perplexity", "-f", text)
        self.refused(2, "--ctx is 1", *p, "--ctx", 1)
        self.refused(2, "longer than this model allows", *p, "--ctx", 1026)
        self.refused(2, "--stride is 9", *p, "--ctx", 8, "--stride", 9)
        self.refused(2, "--chunks is -1", *p, "--chunks", -1)
        self.refused(1, "use the same --ctx", *p, "--kl", saved)
        self.refused(1, "cannot write", *p, "--save-logits", scratch("no/such/ref"))
        self.refused(1, "cannot read", "perplexity", "-f", scratch("absent.txt"))
        self.refused(2, "nothing to predict", "perplexity", "-f", "-", stdin=b"")

    def test_bench(self):
        rows = self.json("bench", "-p", 16, "-n", 4, "-b", "1,3", "-r", 2)
        self.assertEqual([(r["test"], r["batch"]) for r in rows], [("pp16", 1), ("pp16", 3), ("tg4", 1), ("tg4", 3)])
        for r in rows:
            self.assertLessEqual({"test", "batch", "tok_s", "tok_s_min", "tok_s_max", "gb_s", "gflop_s", "limit",
                                  "pct_of_limit"}, set(r))
            self.assertTrue(0 < r["tok_s_min"] <= r["tok_s"] <= r["tok_s_max"])
            self.assertIn(r["limit"], ("read_bandwidth", "fma_rate", "bf16_rate", "bf16_tile_rate"))
        # Products of bytes are compared with the rate of products of bytes.
        q8 = scratch("cli_bench_q8.gguf")
        self.json("synth", q8, "--shape", "test-tiny", "--type", "q8_0")
        rows = self.json("bench", "-m", q8, "-p", 64, "-n", 0, "-r", 1, "--linear", "packed")
        self.assertIn(rows[0]["limit"], ("read_bandwidth", "int8_rate", "int8_tile_rate"))
        self.refused(2, "has no rung 'unheard'", "bench", "-p", 4, "-n", 0, "--set", "bandwidth=unheard")
        self.refused(2, "-b is 0", "bench", "-b", "0")
        self.refused(2, "-r is 0", "bench", "-r", 0)
        self.refused(2, "positive", "bench", "-p", 0, "-n", 0)

    def test_inspect(self):
        out = self.json("inspect", "tiny")
        m = out["model"]
        self.assertEqual(out["kv_cache"]["bytes_per_token"], 2 * m["layers"] * m["kv_heads"] * m["head_dim"] * 2)
        self.assertGreater(len(out["tensors"]), 10)
        self.assertEqual(out["kv_cache"]["contexts"][-1]["bytes"], out["kv_cache"]["bytes_at_full_context"])
        for inspected in (out, self.json("inspect", os.path.join(ROOT, "models", "tiny"))):
            self.assertAlmostEqual(sum(t["share"] for t in inspected["tensors"]), 1.0)
            self.assertEqual(sum(t["bytes"] for t in inspected["types"]), inspected["tensor_bytes"])
            self.assertEqual(sum(t["tensors"] for t in inspected["types"]), len(inspected["tensors"]))
        text = self.ok("inspect", "tiny").decode()
        self.assertIn("KV cache", text)
        self.assertIn("blk.{}.attn_q.weight", text)
        self.assertIn("blk.1.attn_q.weight", self.ok("inspect", "tiny", "--all").decode())

    def test_names_in_files_do_not_steer_the_terminal(self):
        # An escape sequence and a forged line in the name of a tensor, an escape sequence in that of a file.
        damaged, evil = scratch("cli_escape.gguf"), b"out\x1b[2J\nrung: w.bad"
        with open(damaged, "wb") as f:
            f.write(read(TINY).replace(b"output_norm.weight", evil[:18], 1))
        text = self.ok("inspect", damaged)
        self.assertIn(b"out\\x1b[2J\\nrung", text)
        self.assertNotIn(b"\x1b", text)
        folder = scratch("cli_escape")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump({"model_type": "llama"}, f)
        with open(os.path.join(folder, "model.safetensors.index.json"), "w") as f:
            json.dump({"weight_map": {"a": "evil\x1b[2J.safetensors"}}, f)
        self.refused(1, "the shard evil\\x1b[2J.safetensors is missing", "generate", "-m", folder, "-p", "x")

    def test_folder_through_every_reader(self):
        folder = os.path.join(ROOT, "models", "tiny")
        texts = set()
        for rung in ("naive", "sax", "scan", "auto"):
            out = self.json("generate", "-m", folder, "-p", "Once", "-n", 6, "--temp", 0, "--set",
                            "safetensors_index=" + rung)
            texts.add(out["text"])
            self.assertEqual(out["rungs"]["safetensors_index"], "scan" if rung == "auto" else rung)
        self.assertEqual(len(texts), 1)
        self.assertNotIn("safetensors_index", self.json("generate", "-m", "tiny", "-p", "Once", "-n", 1)["rungs"])

    def test_plan(self):
        for kind in ("f32", "f16", "bf16", "f8_e4m3", "q8_0", "mxfp8"):
            out = self.json("plan", "--kv", "-m", "tiny", "--ctx", 256, "--kv-type", kind, "--batch", 3)
            run_out = self.json("generate", "-m", "tiny", "--ctx", 256, "-p", "Once", "-n", 2, "--kv-type", kind)
            self.assertEqual(out["contiguous"]["bytes"], 3 * run_out["memory"]["kv_bytes"])
            self.assertEqual(out["weights_bytes"], run_out["memory"]["weights_bytes"])
            self.assertEqual(run_out["memory"]["kv_type"], kind)
        self.refused(2, "unknown number format", "generate", "-m", "tiny", "-p", "a", "--kv-type", "f7")
        self.refused(1, "K and V in q4_0", "generate", "-m", "tiny", "-p", "a", "--kv-type", "q4_0")
        self.refused(2, "use f32, f16, bf16 or f8_e4m3", "generate", "-m", "tiny", "-p", "a", "--kv-type", "q4_k")
        self.assertIn("512 latent", self.ok("plan", "--shape", "deepseek-v3").decode())
        # A model that nothing here can run, from its config.json alone.
        config = scratch("deepseek.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"model_type": "deepseek_v2", "num_hidden_layers": 60, "kv_lora_rank": 512,
                       "qk_rope_head_dim": 64}, file)
        out = self.json("plan", "-m", config, "--ctx", 1000, "--budget", "1GiB")
        self.assertEqual(out["bytes_per_token"], 69120)
        self.assertEqual(out["budgets"][0]["batch_contiguous"], 2**30 // 69_120_000)
        self.refused(2, "give --ctx", "plan", "-m", config)
        self.refused(2, "--budget much", "plan", "--shape", "llama-3-8b", "--budget", "much")
        self.refused(2, "unknown shape", "plan", "--shape", "llama-9")
        self.refused(2, "--tokens is 9, but the context has 8 tokens", "plan", "--shape", "llama-3-8b", "--ctx", 8, "--tokens", 9)
        self.refused(2, "--batch is 0", "plan", "--shape", "llama-3-8b", "--batch", 0)
        self.refused(2, "unknown number format", "plan", "--shape", "llama-3-8b", "--kv-type", "f7")

    def test_plan_latency(self):
        machine = ("--bandwidth", "3.35e12", "--flops", "990e12")
        out = self.json("plan", "--latency", "--shape", "llama-3-8b", *machine, "--batch", 64, "--ctx", 8192)
        self.assertEqual(out["step_cost"], "roofline_kv")
        self.assertAlmostEqual(out["knee"], 990 / 3.35, places=3)
        self.assertEqual([b["batch"] for b in out["batches"]], [1, 2, 4, 8, 16, 32, 64])
        self.assertAlmostEqual(out["batches"][0]["tpot_s"], (out["weights_bytes"] + 512 * 131072) / 3.35e12, places=9)
        self.assertGreater(out["prompts"][-1]["attention_share"], out["prompts"][0]["attention_share"])
        only = self.json("plan", "--latency", "--shape", "llama-3-8b", *machine, "--set", "step_cost=weights")
        self.assertIsNone(only["knee"])
        self.assertEqual(only["batches"][0]["tpot_s"], only["batches"][-1]["tpot_s"])
        # Steps that are timed here, and read back from a file.
        file = scratch("steps.json")
        measured = ("plan", "--latency", "-m", "tiny", "--measure", "--repeats", 1, "--ctx", 300, "--batch", 4, "--json")
        with open(file, "wb") as sink:
            sink.write(self.ok(*measured, *machine))
        with open(file, encoding="utf-8") as text:
            out = json.load(text)
        self.assertEqual(out["step_cost"], "fitted")
        again = self.json("plan", "--latency", "-m", "tiny", "--samples", file, "--ctx", 300, "--batch", 4, *machine)
        self.assertEqual(out["batches"], again["batches"])
        self.assertIn("measured steps", self.ok("plan", "--latency", "-m", "tiny", "--samples", file, *machine).decode())
        self.refused(1, "has no measured steps", "plan", "--latency", "--samples", os.path.join(ROOT, "README.md"), *machine)
        self.refused(1, "does not support", "plan", "--latency", "--set", "step_cost=fitted", *machine)
        self.refused(2, "unknown seam", "plan", "--latency", "--set", "steps=fitted", *machine)
        self.refused(2, "--measure runs a model", "plan", "--latency", "--shape", "llama-3-8b", "--measure", *machine)
        self.refused(2, "--bandwidth is -1", "plan", "--latency", "--bandwidth=-1")
        self.refused(2, "--chunk is 0", "plan", "--latency", "--chunk", 0)
        self.refused(2, "--batch is 0", "plan", "--latency", "--batch", 0)
        self.refused(2, "excludes", "plan", "--latency", "--kv")
        self.refused(2, "only chooses how the read limit", "ladder", "rope", "--measure", "--set", "linear=simd")

    def test_synth_and_quantize(self):
        source = scratch("cli_synth.gguf")
        self.json("synth", source, "--shape", "test-tiny", "--type", "f32", "--seed", 3)
        sizes = []
        for kind in ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "iq4_nl", "mxfp4", "q4_k_m"):
            out = self.json("quantize", source, scratch("cli_quantized.gguf"), "--type", kind)
            sizes.append(out["bytes_after"])
            self.assertEqual(out["bytes_after"], os.path.getsize(scratch("cli_quantized.gguf")))
            self.json("generate", "-m", scratch("cli_quantized.gguf"), "-p", "a", "-n", 3)
        self.assertGreater(sizes[0], sizes[1])
        self.assertGreater(sizes[2], sizes[3])
        self.assertGreater(sizes[3], sizes[4])
        out = self.json("quantize", "tiny", scratch("cli_quantized.gguf"), "--type", "q2_k")
        self.assertLessEqual({"q2_k", "q3_k", "q6_k", "f32"}, set(out["types"]))
        self.assertEqual(out["notes"], [])
        self.json("generate", "-m", scratch("cli_quantized.gguf"), "-p", "a", "-n", 3)
        out = self.json("quantize", "tiny", scratch("cli_quantized.gguf"), "--type", "q2_k", "--pure")
        self.assertEqual(set(out["types"]), {"q2_k", "f32"})
        self.refused(1, "rung convert", "quantize", os.path.join(ROOT, "models", "tiny"), scratch("x.gguf"), "--type", "q8_0")
        calibration = os.path.join(ROOT, "README.md")
        out = self.json("quantize", "tiny", scratch("cli_quantized.gguf"), "--type", "q3_k_m", "--imatrix", calibration,
                        "--chunks", 2)
        self.assertEqual((out["weighted"], out["imatrix_tokens"]), (43, 1024))
        self.json("generate", "-m", scratch("cli_quantized.gguf"), "-p", "a", "-n", 3)
        out = self.json("quantize", "tiny", scratch("cli_quantized.gguf"), "--type", "q4_0", "--imatrix", calibration,
                        "--chunks", 2, "--set", "quantizer=exact")
        self.assertEqual((out["weighted"], out["quantizers"]), (43, {"exact": 43}))
        out = self.json("quantize", source, scratch("cli_quantized.gguf"), "--type", "q4_0", "--set", "quantizer=absmax")
        self.assertEqual(set(out["quantizers"]), {"absmax"})
        for kind in ("f16", "mxfp4"):
            self.refused(2, "--imatrix has no effect here", "quantize", source, scratch("x.gguf"), "--type", kind,
                         "--imatrix", calibration)
        self.refused(2, "give it a text", "quantize", source, scratch("x.gguf"), "--type", "q4_0", "--set",
                     "quantizer=weighted")
        self.refused(2, "has no rung 'best'", "quantize", source, scratch("x.gguf"), "--type", "q4_0", "--set",
                     "quantizer=best")
        self.refused(2, "write quantizer=NAME", "quantize", source, scratch("x.gguf"), "--type", "q4_0", "--set",
                     "linear=naive")
        self.refused(1, "rung 'exact'", "quantize", "tiny", scratch("x.gguf"), "--type", "q4_k", "--set",
                     "quantizer=exact")
        self.refused(1, "cannot read the text '/nothing'", "quantize", source, scratch("x.gguf"), "--type", "q4_k",
                     "--imatrix", "/nothing")
        self.refused(2, "q99", "quantize", source, scratch("x.gguf"), "--type", "q99")
        self.refused(2, "huge", "synth", scratch("x.gguf"), "--shape", "huge", "--type", "f32")
        limited = subprocess.run(["sh", "-c", 'ulimit -f 20; exec "$@"', "sh", RUNG, "quantize", source, scratch("x.gguf"),
                                  "--type", "f32"], capture_output=True, timeout=300)
        self.assertEqual(limited.returncode, 1, limited.stderr)
        self.assertIn(b"File too large", limited.stderr)
        self.assertNotEqual(run("quantize", source, source, "--type", "f16").returncode, 0)
        self.json("inspect", source)  # and IN is still whole

    def test_ladder(self):
        ladders = self.json("ladder")
        self.assertEqual([x["seam"] for x in ladders], sorted(x["seam"] for x in ladders))
        for ladder in ladders:
            for rung in ladder["rungs"]:
                self.assertTrue(os.path.exists(os.path.join(ROOT, rung["source"])), rung["source"])
        measured = self.json("ladder", "sampler", "--measure", "-r", 1)
        self.assertEqual(measured["seam"], "sampler")
        for row in measured["rows"]:
            self.assertTrue(row["passed"], row)
        self.refused(2, "unknown seam 'nothing'", "ladder", "nothing")
        self.refused(2, "no timed trial with 'nothing'", "ladder", "sampler", "--measure", "--trials", "nothing")
        linear = next(x for x in ladders if x["seam"] == "linear")
        onednn = [r for r in linear["rungs"] if r["name"] == "onednn"]
        self.assertNotEqual(bool(onednn), "note" in linear)  # there, or said why not
        for rung in linear["rungs"]:
            self.assertEqual(rung["batch_invariant"], rung["name"] != "onednn")

    def test_exercises(self):
        board = self.json("exercises", 3)
        self.assertLessEqual({"attention", "linear", "sampling"}, {row["exercise"] for row in board})
        for row in board:
            self.assertIn(row["status"], ("not started", "in progress", "failing", "passing"))
            self.assertLessEqual({"seam", "chapter", "source", "message", "trials_passed", "edited"}, set(row))
            self.assertEqual(row["tier"] in ("correct", "good"), row["status"] == "passing")
            self.assertEqual(row["tier"] == "good", bool(row["goals"]) and all(goal["good"] for goal in row["goals"]))
        self.refused(2, "no exercise in chapter", "exercises", "9")
        self.refused(2, "there is no exercise 'nothing'; choose one of: one_token", "exercises", "nothing")
        self.refused(2, "the name of one exercise", "exercises", "--watch")
        self.refused(2, "there is no exercise", "exercises", "--reset", "nothing")

    def test_demo(self):
        out = self.json("demo", "-n", 30)
        self.assertEqual([r["engine"] for r in out["runs"]], ["naive", "auto"])
        self.assertEqual(out["same_text"], out["runs"][0]["text"] == out["runs"][1]["text"])
        out = self.json("demo", "-n", 30, "--exact")
        self.assertEqual([r["engine"] for r in out["runs"]], ["naive", "exact"])
        self.assertTrue(out["same_text"])

    def test_demo_marks_where_the_texts_part(self):
        model = scratch("cli_demo.gguf")
        self.json("quantize", "tiny", model, "--type", "q2_k")  # coarse enough to part within 60 tokens
        out = self.json("demo", "-m", model, "-n", 60)
        self.assertFalse(out["same_text"])
        ids = [run["token_ids"] for run in out["runs"]]
        at = out["first_difference"]
        self.assertEqual(ids[0][:at], ids[1][:at])
        self.assertNotEqual(ids[0][at], ids[1][at])
        shown = self.ok("demo", "-m", model, "-n", 60).decode()
        self.assertIn(f"The texts are the same up to », token {at + 1}", shown)
        self.assertEqual(shown.count("»"), 3)
        os.remove(model)

    @unittest.skipUnless(MEASURES_MEMORY, "a sanitizer's own memory would be counted")
    def test_memory_is_weights_plus_kv_plus_workspace(self):
        # Large enough that the program itself is a small part.
        path = scratch("memory.gguf")
        self.json("synth", path, "--shape", "tinyllama-1.1b", "--type", "q4_0")
        try:
            out = self.json("generate", "-m", path, "-p", "a", "-n", 4, "--temp", 0, "--ctx", 512)
        finally:
            os.remove(path)
        m = out["memory"]
        stated = m["weights_bytes"] + m["kv_bytes"] + m["workspace_bytes"]
        self.assertLess(abs(m["peak_rss_bytes"] - stated) / stated, 0.10, m)


class RealModel(Case):
    def test_stories_text(self):
        if not os.path.exists(STORIES):
            self.skipTest(f"{STORIES} is absent")
        expected = json.loads(read(STORIES.replace("-f32.gguf", ".expected.json")))
        text = self.json("generate", "-m", STORIES, "-p", expected["prompt"], "-n", 150, "--temp", 0)["text"]
        wanted = expected["expected_continuation_starts_with"]
        n = min(len(text), len(wanted))
        self.assertGreater(n, 300)
        self.assertEqual(text[:n], wanted[:n])


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
