#!/usr/bin/env python3
"""Measures how close Rung comes to the limits of the machine, which are measured before every repetition.

usage: 06_benchmarks/engine_comparison/measure.py --models MODELS --out FOLDER [--rung build/bin/rung]
           [--types q4_0,q8_0,q4_k,bf16]
       06_benchmarks/engine_comparison/measure.py --plot --out FOLDER

MODELS holds tinyllama-1.1b-TYPE.gguf (made by `rung synth` and `rung quantize`; the files that compare.py --work keeps
will do). The runs are a prefill of 512 tokens, and a decode of 16 tokens by one sequence and by 16. The script writes
limits.json and tables.md to FOLDER. It has no pictures, and --plot only writes the table. --update is for maintainers:
it writes to results/ and to the table between the marks of README.md.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    UsageError, ask, lesson_main, machine, machine_text, save_rows)
from lessons.limit_words import RATE_WORDS as LIMITS  # noqa: E402

LINEAR = "packed,bf16_dot,auto"
TESTS = {"prefill": ["-p", 512, "-n", 0, "-r", 5], "decode": ["-p", 0, "-n", 16, "-b", "1,16", "-r", 11]}


def measure(a):
    if not a.models:
        raise UsageError("--models is missing")
    rows = []
    for kind in a.types.split(","):
        found = sorted(Path(a.models).rglob(f"tinyllama-1.1b*-{kind}.gguf"))
        if not found:
            sys.exit(f"measure.py: no tinyllama-1.1b*-{kind}.gguf under {a.models}")
        for arguments in TESTS.values():
            out = ask(a.rung, "bench", "-m", found[0], "--linear", LINEAR, "--remeasure", *arguments, progress=True)
            for row in out:
                rows.append({"type": kind, **{k: v for k, v in row.items() if k not in ("fused", "rungs")}})
                print(kind, row["test"], row["batch"], f"{row['tok_s']:.1f} tokens/s, {row['pct_of_limit']:.0f} %",
                      flush=True)
    save_rows(a.out / "limits.json", rows, linear=LINEAR, machine=machine(a.rung, "policy"))


def table(data):
    lines = ["| weights | what | tokens/s (slowest to fastest) | of the nearer limit |", "|---|---|---:|---:|"]
    for r in data["rows"]:
        what = "decode" if r["batch"] == 1 else f"decode, {r['batch']} sequences"
        what = "prefill of 512" if r["test"].startswith("pp") else what
        lines.append(f"| {r['type']} | {what} | {r['tok_s']:.1f} ({r['tok_s_min']:.1f} to {r['tok_s_max']:.1f}) | "
                     f"{r['pct_of_limit']:.0f} % of {r['limit_value']:.4g} {LIMITS[r['limit']]} |")
    return [*lines, "", f"`--linear {data['linear']}`, on {machine_text(data['machine'])}; medians."]


def report(a):
    a.results.write_table("limits: results/limits.json", table(a.results.read("limits.json")))


def options(parser):
    parser.add_argument("--models", help="the folder of the models")
    parser.add_argument("--types", default="q4_0,q8_0,q4_k,bf16")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options)
