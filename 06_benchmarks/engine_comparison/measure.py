#!/usr/bin/env python3
"""How near Rung comes to what the machine can do, with the limits measured before every repetition.

usage: 06_benchmarks/engine_comparison/measure.py --models FOLDER [--rung build/bin/rung] [--types q4_0,q8_0,q4_k,bf16]
       06_benchmarks/engine_comparison/measure.py --table

FOLDER holds tinyllama-1.1b-TYPE.gguf (rung synth, then rung quantize; those that compare.py --work keeps will do). Prefill of 512
tokens, decode of 16 by one sequence and by 16. Writes results/limits.json and the table between the marks of README.md.
"""

import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "docs"))
from lesson_marks import write_between  # noqa: E402
from serve_runs import machine, save  # noqa: E402

RESULT = HERE / "results" / "limits.json"
LINEAR = "packed,bf16_dot,auto"
TESTS = {"prefill": ["-p", 512, "-n", 0, "-r", 5], "decode": ["-p", 0, "-n", 16, "-b", "1,16", "-r", 11]}
from rung_lessons.limit_words import RATE_WORDS as LIMITS  # noqa: E402


def measure(a):
    rows = []
    for kind in a.types.split(","):
        found = sorted(pathlib.Path(a.models).rglob(f"tinyllama-1.1b*-{kind}.gguf"))
        if not found:
            sys.exit(f"measure.py: no tinyllama-1.1b*-{kind}.gguf under {a.models}")
        for arguments in TESTS.values():
            command = [a.rung, "bench", "-m", found[0], "--linear", LINEAR, "--remeasure", "--json", *arguments]
            done = subprocess.run([*map(str, command)], check=True, stdout=subprocess.PIPE, text=True)
            for row in json.loads(done.stdout):
                rows.append({"type": kind, **{k: v for k, v in row.items() if k not in ("fused", "rungs")}})
                print(kind, row["test"], row["batch"], f"{row['tok_s']:.1f} tokens/s, {row['pct_of_limit']:.0f} %", flush=True)
    save(RESULT, rows, linear=LINEAR, machine=machine(a.rung, "policy"))


def table(data):
    lines = ["| weights | what | tokens/s (slowest to fastest) | of the nearer limit |", "|---|---|---:|---:|"]
    for r in data["rows"]:
        what = "prefill of 512" if r["test"].startswith("pp") else "decode" if r["batch"] == 1 else f"decode, {r['batch']} sequences"
        lines.append(f"| {r['type']} | {what} | {r['tok_s']:.1f} ({r['tok_s_min']:.1f} to {r['tok_s_max']:.1f}) | "
                     f"{r['pct_of_limit']:.0f} % of {r['limit_value']:.4g} {LIMITS[r['limit']]} |")
    m = data["machine"]
    return [*lines, "", f"`--linear {data['linear']}`, on {m['name']}, {m['threads']} threads, {m['simd']}; medians."]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", help="the folder of the models")
    parser.add_argument("--rung", default=str(HERE.parents[1] / "build" / "bin" / "rung"))
    parser.add_argument("--types", default="q4_0,q8_0,q4_k,bf16")
    parser.add_argument("--table", action="store_true", help="only write the table of what was measured before")
    a = parser.parse_args()
    if not a.table:
        if not a.models:
            parser.error("--models is missing")
        measure(a)
    write_between(HERE / "README.md", "limits: results/limits.json", table(json.loads(RESULT.read_text())))


if __name__ == "__main__":
    main()
