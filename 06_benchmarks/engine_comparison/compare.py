#!/usr/bin/env python3
"""Rung and every engine that is installed, on the same weights, in turns.

    compare.py [-m MODEL.gguf | --shape tinyllama-1.1b] [--types q4_0,q8_0] [-p 512] [-n 64] [-b 16] [-r 5]
               [--threads 2] [--engines rung,llama_cpp] [--variant "packed=--linear packed"]
               [--rung build/bin/rung] [--out FOLDER]

    compare.py --plot COMPARISON.json [OTHER.json ...] --out FOLDER

Writes comparison.json, .md, .png and .svg to FOLDER (the pictures need matplotlib). README.md says what is measured,
and why. --plot only draws what was measured before: NAME.json becomes NAME.png and .svg in FOLDER.
"""
import argparse
import datetime
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))
from lessons import COLORS, HATCHES, INK, caption, pyplot, read_json, save_picture, tidy, legend_above  # noqa: E402

# In the order of the table; the adapter is engines/FILE.py.
ENGINES = {"rung": "rung_cli", "llama_cpp": "llama_cpp", "ik_llama_cpp": "ik_llama_cpp",
           "ctranslate2": "ctranslate2_cpu", "openvino": "openvino_cpu",
           "onnxruntime": "onnxruntime_cpu", "transformers": "transformers_cpu", "mine": "mine"}

AS_IS = "as_is"  # instead of a format: the file that was given, whatever it has


def stop(sentence: str) -> None:
    sys.exit(f"compare.py: {sentence}")


class Worker:
    """An adapter's process. Between its turns it is stopped (SIGSTOP): nothing of it can take the others' time."""

    def __init__(self, file: Path, environment: dict):
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen([sys.executable, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env=environment)

    def ask(self, **request) -> dict:
        """The adapter's answer, or {"error": ...} when its process has gone."""
        line = ""
        try:
            os.kill(self.process.pid, signal.SIGCONT)
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            pass
        if not line:
            self.log.seek(0)
            said = self.log.read().strip().splitlines()
            return {"error": f"its process ended with status {self.process.wait()}" + (f": {said[-1]}" if said else "")}
        os.kill(self.process.pid, signal.SIGSTOP)
        return json.loads(line)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


class Contestant:
    """One engine with one format of weights."""

    def __init__(self, name: str, kind: str, arguments: str = ""):
        self.name, self.file, self.arguments = name, HERE / "engines" / f"{ENGINES[kind]}.py", arguments
        self.version, self.weights, self.absent, self.peak_rss = "", "", "", 0
        self.samples = {"prefill": [], "decode": [], "batch": []}  # tokens per second, one per round
        self.batches = True  # until it says that it cannot
        self.worker = None

    def load(self, job: dict, environment: dict) -> None:
        self.worker = Worker(self.file, environment)
        for request in ({"do": "probe"}, {"do": "load", "job": {**job, "arguments": self.arguments}}):
            answer = self.worker.ask(**request)
            self.version = answer.get("version", self.version)
            self.weights = answer.get("weights", "")
            self.give_up(answer)
            if self.absent:
                return

    def give_up(self, answer: dict) -> None:
        self.absent = answer.get("absent") or answer.get("error") or ""
        if self.absent:
            self.worker.close()

    def measure(self, prompt: list, new: int, batch: int, keep: bool) -> None:
        """Prefill: the prompt and its first new token. Decode: `new` tokens after one token and the first new one. Batch:
        the same for so many sequences in one step; 0: not measured."""
        for test, tokens, written in (("prefill", prompt, 1), ("decode", prompt[:1], new + 1)):
            answer = self.worker.ask(do="measure", prompt=tokens, new=written)
            self.give_up(answer)
            if self.absent:
                return
            seconds = answer["first_s"] if test == "prefill" else answer["rest_s"]
            if not seconds > 0:
                return self.give_up({"error": f"it says that {test} took {seconds} s"})
            self.peak_rss = max(self.peak_rss, answer["peak_rss_bytes"])
            if keep:
                self.samples[test].append((len(tokens) if test == "prefill" else new) / seconds)
        if batch > 0 and self.batches:
            answer = self.worker.ask(do="measure_batch", sequences=batch, new=new)
            self.batches = "seconds" in answer
            if "error" in answer:
                return self.give_up(answer)
            if keep and self.batches:
                self.samples["batch"].append(batch * new / answer["seconds"])

    def row(self, reference: "Contestant") -> dict:
        out = {"engine": self.name, "version": self.version, "weights": self.weights, "peak_rss_bytes": self.peak_rss}
        for test, values in self.samples.items():
            if not values:
                continue
            ratios = [own / other for own, other in zip(values, reference.samples[test])]
            out[test] = {"tok_s": statistics.median(values), "min": min(values), "max": max(values), "samples": values,
                         "times_rung": statistics.median(ratios) if ratios else None}
        return out


class Comparison:
    def __init__(self, a: argparse.Namespace):
        self.a, self.rung = a, str(Path(a.rung).resolve())
        self.work = Path(a.work or tempfile.mkdtemp(prefix="rung_compare_"))
        self.work.mkdir(parents=True, exist_ok=True)
        # How threads wait is each engine's own choice. Nothing is fetched from a network.
        self.environment = {**os.environ, "RUNG": self.rung, "OMP_NUM_THREADS": str(a.threads), "HF_HUB_OFFLINE": "1",
                            "PYTHONPATH": str(HERE / "engines")}

    def run_rung(self, *arguments) -> subprocess.CompletedProcess:
        done = subprocess.run([self.rung, *map(str, arguments)], capture_output=True, text=True, env=self.environment)
        if done.returncode != 0:
            said = done.stderr.strip().splitlines()
            stop(f"rung {arguments[0]} failed: {said[-1] if said else done.returncode}")
        return done

    def base_model(self) -> Path:
        if self.a.model:
            return Path(self.a.model).resolve()
        base = self.work / f"{self.a.shape}-f16.gguf"
        if not base.exists():
            self.run_rung("synth", base, "--shape", self.a.shape, "--type", "f16")
        return base

    def limits(self) -> dict:
        """What the machine can do right now, as rung bench measures it."""
        text = self.run_rung("bench", "-m", "tiny", "-p", 0, "-n", 1, "-r", 1, "--threads", self.a.threads,
                             "--remeasure").stderr
        found = re.search(r"([\d.]+) GB/s read, ([\d.]+) GFLOP/s float32 FMA, ([\d.]+) GOP/s int8", text)
        return {"read_gb_s": float(found[1]), "fma_gflop_s": float(found[2]), "int8_gop_s": float(found[3])}

    def contestants(self) -> list:
        for name in self.a.engines:
            if name not in ENGINES:
                stop(f"there is no engine '{name}'; choose one of: {', '.join(ENGINES)}")
        chosen = []
        for name in self.a.engines:
            chosen.append(Contestant(name, name, self.a.arguments if name == "rung" else ""))
            if name == "rung":
                for variant in self.a.variant:
                    label, _, arguments = variant.partition("=")
                    chosen.append(Contestant(f"rung {label}", "rung", arguments))
        return chosen

    def run_type(self, base: Path, work: Path, kind: str) -> dict:
        gguf, as_is = work / f"{base.stem}-{kind}.gguf", kind == AS_IS
        if as_is:
            gguf = base
        elif not gguf.exists():
            self.run_rung("quantize", base, gguf, "--type", kind)
        inspected = json.loads(self.run_rung("inspect", gguf, "--json").stdout)
        vocab = inspected["model"]["vocab_size"]
        if as_is:
            kind = max(inspected["types"], key=lambda row: row["bytes"])["type"]
        job = {"gguf": str(gguf), "hf": "" if as_is else str(work / "hf"), "type": kind, "threads": self.a.threads,
               "vocab": vocab, "ctx": self.a.prompt + self.a.new + 8, "work": str(work)}
        all_of_them = self.contestants()
        try:
            for c in all_of_them:
                c.load(job, self.environment)
                print(f"{kind}: {c.name}: {c.absent or c.version}", file=sys.stderr, flush=True)
            limits, rng = [], random.Random(1)
            for turn in range(self.a.rounds + 1):  # the first one only warms up
                prompt = [rng.randrange(vocab) for _ in range(self.a.prompt)]
                if turn > 0 and not self.a.no_limits:
                    limits.append(self.limits())
                here = [c for c in all_of_them if not c.absent]
                for c in here[turn % len(here):] + here[:turn % len(here)] if here else []:
                    c.measure(prompt, self.a.new, self.a.batch, keep=turn > 0)
                print(f"{kind}: round {turn} of {self.a.rounds}", file=sys.stderr, flush=True)
        finally:
            for c in all_of_them:
                if c.worker and not c.absent:
                    c.worker.close()
        here = [c for c in all_of_them if not c.absent]
        if not here:
            stop("no engine could run: " + "; ".join(f"{c.name}: {c.absent}" for c in all_of_them))
        return {"type": kind, "file_bytes": gguf.stat().st_size, "limits": limits,
                "rows": [c.row(all_of_them[0]) for c in here],
                "absent": {c.name: c.absent for c in all_of_them if c.absent}}

    def run(self) -> dict:
        base = self.base_model()
        # A folder per model: another one's converted weights would be fast, and wrong.
        stat = base.stat()
        work = self.work / f"{base.stem}-{zlib.crc32(f'{base} {stat.st_size} {stat.st_mtime_ns}'.encode()):08x}"
        work.mkdir(exist_ok=True)
        if set(self.a.types) != {AS_IS} and not (work / "hf" / "config.json").exists():
            self.run_rung("convert", base, work / "hf")
        # Fills rung's memory of the machine's limits: measuring them would count as its own in the first turn.
        self.run_rung("bench", "-m", "tiny", "-p", 1, "-n", 0, "-r", 1, "--threads", self.a.threads)
        return {"model": base.stem, "prompt": self.a.prompt, "new": self.a.new, "arguments": self.a.arguments,
                "batch": self.a.batch, "rounds": self.a.rounds, "threads": self.a.threads, "machine": machine(),
                "date": datetime.date.today().isoformat(), "commit": commit(), "simd": os.environ.get("RUNG_SIMD", ""),
                "types": [self.run_type(base, work, kind) for kind in self.a.types]}


def commit() -> str:
    """Of this tree; with a + where it has changes. Empty outside of a repository."""
    done = subprocess.run(["git", "-C", str(HERE), "describe", "--always", "--dirty=+"], capture_output=True, text=True)
    return done.stdout.strip()


def machine() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {len(os.sched_getaffinity(0))} processors"
    return "unknown"


def table(result: dict) -> str:
    batch = result.get("batch", 0)
    tests = ("prefill", "decode", "batch") if batch else ("prefill", "decode")
    several = f", decode of {batch} sequences at once" if batch else ""
    lines = [f"{result['model']}, {result['threads']} threads, prefill of {result['prompt']} tokens, decode of "
             f"{result['new']}{several}; "
             f"medians of {result['rounds']} rounds in turns, on {result['machine']}, {result['date']}.", ""]
    if result.get("arguments"):
        lines[0] += f" Rung with `{result['arguments']}`."
    if result.get("simd"):
        lines[0] += f" `RUNG_SIMD={result['simd']}` held Rung to such instructions."
    heads = {"prefill": "prefill", "decode": "decode", "batch": f"{batch} sequences"}
    lines += ["| weights | engine | " + "".join(f"{heads[t]}, tok/s | times rung | " for t in tests) + "peak RSS |",
              "|---|---|" + "---:|---:|" * len(tests) + "---:|"]
    for kind in result["types"]:
        for row in kind["rows"]:
            cells = [row["weights"], f"{row['engine']} ({row['version']})"]
            for test in tests:
                m = row.get(test)
                if m is None:
                    cells += ["", ""]
                    continue
                cells += [f"{m['tok_s']:.4g} ({m['min']:.4g} to {m['max']:.4g})",
                          "" if m["times_rung"] is None else f"{m['times_rung']:.2f}"]
            memory = f"{row['peak_rss_bytes'] / 1e6:,.0f} MB" if row["peak_rss_bytes"] else ""
            lines.append("| " + " | ".join([*cells, memory]) + " |")
    for kind in result["types"]:
        for name, why in kind["absent"].items():
            lines.append(f"\nAbsent for {kind['type']}: {name}: {why}.")
        if kind["limits"]:
            limit = {k: statistics.median(x[k] for x in kind["limits"]) for k in kind["limits"][0]}
            int8 = f", {limit['int8_gop_s']:.0f} GOP/s int8 in vectors" if "int8_gop_s" in limit else ""
            lines.append(f"\nThe machine during {kind['type']}: {limit['read_gb_s']:.1f} GB/s read, "
                         f"{limit['fma_gflop_s']:.0f} GFLOP/s float32 FMA{int8} "
                         f"(medians); a file of {kind['file_bytes'] / 1e6:,.0f} MB.")
    return "\n".join(lines) + "\n"


TESTS = {"prefill": "Prefill", "decode": "Decode, one sequence", "batch": "Decode, {} sequences"}


def plot(result: dict, picture: Path) -> None:
    """Draws picture.svg and picture.png."""
    plt = pyplot()
    names = list(dict.fromkeys(row["engine"] for kind in result["types"] for row in kind["rows"]))
    kinds = [kind["type"] for kind in result["types"]]
    tests = [t for t in TESTS if any(t in row for kind in result["types"] for row in kind["rows"])]
    figure, axes = plt.subplots(1, len(tests), figsize=(3.3 * len(tests) + 0.5, 4.3), squeeze=False)
    for axis, test in zip(axes[0], tests):
        width = 0.84 / len(names)
        for i, name in enumerate(names):
            found = [(k, row[test]) for k, kind in enumerate(result["types"]) for row in kind["rows"]
                     if row["engine"] == name and test in row]
            middles = [m["tok_s"] for _, m in found]
            spread = [[m["tok_s"] - m["min"] for _, m in found], [m["max"] - m["tok_s"] for _, m in found]]
            axis.bar([k + (i - (len(names) - 1) / 2) * width for k, _ in found], middles, width * 0.9, yerr=spread,
                     color=COLORS[i % len(COLORS)], hatch=HATCHES[i % len(HATCHES)], label=name,
                     error_kw={"elinewidth": 1, "ecolor": INK})
        axis.set_xticks(range(len(kinds)), kinds)
        axis.set_title(TESTS[test].format(result.get("batch", 0)))
        axis.set_xlabel("format of the weights")
        tidy(axis, "y")
    axes[0][0].set_ylabel("tokens per second")
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLORS[i % len(COLORS)], hatch=HATCHES[i % len(HATCHES)])
               for i in range(len(names))]
    legend_above(figure, handles, names, side="left", ncols=min(len(names), 4))
    built = f", commit {result['commit']}" if result.get("commit") else ""
    caption(figure, f"{result['model']}, {result['threads']} threads, {result['machine']}, {result['date']}{built}. "
                    f"Prompts of {result['prompt']} tokens, {result['new']} decoded tokens. Bars: medians of "
                    f"{result['rounds']} rounds; thin lines: slowest to fastest round. "
                    "Made by 06_benchmarks/engine_comparison/compare.py.")
    save_picture(figure, picture)


def arguments(given=None) -> argparse.Namespace:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("-m", "--model", help="a GGUF file, with f32, f16 or bf16 weights unless --types is as_is")
    args.add_argument("--shape", default="tinyllama-1.1b", help="without -m: random weights of this shape (rung synth)")
    args.add_argument("--types", default="q4_0,q8_0", type=lambda s: s.split(","),
                      help="formats, as rung quantize names them; as_is: the file as it is")
    args.add_argument("-p", "--prompt", type=int, default=512)
    args.add_argument("-n", "--new", type=int, default=64)
    args.add_argument("-b", "--batch", type=int, default=0, help="sequences that decode at once; default: not measured")
    args.add_argument("-r", "--rounds", type=int, default=5)
    args.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    args.add_argument("--engines", default=",".join(ENGINES), type=lambda s: s.split(","),
                      help="the first is what others are compared with")
    args.add_argument("--arguments", default="",
                      help="for rung bench, as in --arguments='--linear packed'; the table calls it rung all the same")
    args.add_argument("--variant", action="append", default=[], metavar="NAME=ARGUMENTS",
                      help="Rung once more, with these arguments")
    args.add_argument("--rung", default=str(HERE.parent.parent / "build/bin/rung"))
    args.add_argument("--work", help="keeps models and converted weights here; default: a new temporary folder")
    args.add_argument("-o", "--out", type=Path, default=Path("comparison"),
                      help="the folder for JSON, table and pictures")
    args.add_argument("--plot", nargs="+", type=Path, metavar="COMPARISON.json",
                      help="measure nothing; only draw these")
    args.add_argument("--no-limits", action="store_true", help="does not measure the machine between rounds")
    a = args.parse_args(given)
    if a.plot:
        return a
    if a.prompt < 1 or a.new < 1 or a.rounds < 1 or a.threads < 1 or a.batch < 0:
        stop("-p, -n, -r and --threads must be at least 1, and -b at least 0")
    if not os.access(a.rung, os.X_OK):
        stop(f"there is no program {a.rung}; build it (./run.sh), or name it with --rung")
    return a


def main() -> None:
    a = arguments()
    for file in a.plot or ():
        plot(read_json(file), a.out / file.stem)
    if a.plot:
        return
    result = Comparison(a).run()
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "comparison.json").write_text(json.dumps(result, indent=1) + "\n")
    (a.out / "comparison.md").write_text(table(result))
    print(table(result))
    try:
        plot(result, a.out / "comparison")
    except SystemExit as error:  # the table and the JSON are complete without the picture
        print(f"compare.py: no picture: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
