#!/usr/bin/env python3
"""Policies on the engine when there is room and when there is none: how long a request takes.

usage: 02_engines/vllm/measure.py [--model tiny] [--rung build/bin/rung] [--repeats 3]
       02_engines/vllm/measure.py --table

The same 64 requests twice, four at a time: "calm", as they come at a rate that is served easily, and "rush", all
at once. Every eighth has a long prompt and a long answer. Runs of all policies are interleaved; the median by mean latency
counts. Writes results/policies.json and the tables between the marks of README.md.
"""

import argparse
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "docs"))
from lesson_marks import write_between  # noqa: E402
from serve_runs import interleaved, machine, middle, save  # noqa: E402

RESULT = HERE / "results" / "policies.json"
POLICIES = ["fifo", "shortest_first", "adaptive"]
LOADS = {"calm": ["--rate", "8"], "rush": []}


def measure(a):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "mixed.csv"
        lines = ["arrival,prompt,output"]
        for i in range(64):
            lines.append(f"{i},150,200" if i % 8 == 3 else f"{i},{8 + 7 * i % 31},{8 + 5 * i % 23}")
        trace.write_text("\n".join(lines) + "\n")
        for load, more in LOADS.items():
            cases = {policy: ["--trace", trace, "--requests", 64, "--max-sequences", 4, *more, "--policy", policy] for policy in POLICIES}
            runs = interleaved(a.rung, a.model, cases, a.repeats, lambda r: f"{1e3 * r['e2e_s']['mean']:.0f} ms")
            for policy in POLICIES:
                r = middle(runs[policy], lambda r: r["e2e_s"]["mean"])
                rows.append({"load": load, "policy": policy, "ttft_s": r["ttft_s"], "e2e_s": r["e2e_s"], "output_tok_s": r["output_tok_s"]})
    save(RESULT, rows, model=a.model, machine=machine(a.rung, "policy"))


def table(data, load):
    lines = ["| policy | mean latency | median | P99 | TTFT median |", "|---|---:|---:|---:|---:|"]
    for r in data["rows"]:
        if r["load"] == load:
            e = r["e2e_s"]
            lines.append(f"| `{r['policy']}` | {1e3 * e['mean']:.0f} ms | {1e3 * e['p50']:.0f} ms | {1e3 * e['p99']:.0f} ms | "
                         f"{1e3 * r['ttft_s']['p50']:.0f} ms |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--rung", default=str(HERE.parents[1] / "build" / "bin" / "rung"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="only write the tables of what was measured before")
    a = parser.parse_args()
    if not a.table:
        measure(a)
    data = json.loads(RESULT.read_text())
    for load in LOADS:
        write_between(HERE / "README.md", f"serve: results/policies.json, {load}", table(data, load))


if __name__ == "__main__":
    main()
