#!/usr/bin/env python3
"""Measures what this folder's lesson shows: one run with its timeline, and latency against the rate of arrivals.

usage: 06_benchmarks/metrics/measure.py --out FOLDER [--model tiny] [--rung build/bin/rung] [--repeats 2]
       06_benchmarks/metrics/measure.py --plot --out FOLDER

The runs of the sweep are interleaved. Of each load, the run with the median P99 of TTFT counts (of two runs, the larger
one). The script writes timeline.json, rates.json, tables.md and the pictures (needs matplotlib) to FOLDER. --plot only
draws. --update is for maintainers: it writes to results/ and to the tables between the marks of README.md.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    interleaved, lesson_main, machine, middle, save_rows, serve)
from plot import draw  # noqa: E402

# There is so little memory that requests are preempted, and many prompts share a prefix.
TIMELINE = ["--threads", "1", "--requests", "40", "--rate", "40", "--seed", "4", "--prompt-tokens", "16-120",
            "--output-tokens", "20-160", "--shared-prefix", "32", "--max-sequences", "8", "--kv-budget", "1MB",
            "--ctx", "320", "--set", "prefix_cache=radix", "--timeline", "40"]
SWEEP = ["--threads", "1", "--requests", "80", "--prompt-tokens", "16-120", "--output-tokens", "8-48",
         "--slo-ttft", "0.1"]
RATES = [10, 20, 30, 40, 60]
KINDS = {"poisson": [], "gamma": ["--cv", "3"]}


def measure(a):
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "timeline.json").write_text(json.dumps(serve(a.rung, a.model, *TIMELINE)) + "\n")

    def load(kind, rate):
        return lambda turn: [*SWEEP, "--rate", rate, "--arrivals", kind, *KINDS[kind], "--seed", turn + 1]

    cases = {(kind, rate): load(kind, rate) for kind in KINDS for rate in RATES}
    runs = interleaved(a.rung, a.model, cases, a.repeats, lambda r: f"{1e3 * r['ttft_s']['p99']:.0f} ms")
    rows = [middle(runs[case], lambda r: r["ttft_s"]["p99"]) for case in cases]
    save_rows(a.out / "rates.json", rows, model=a.model, machine=machine(a.rung, "quantile"))


def rates_table(data):
    lines = ["| arrivals | requests/s asked | served | output tokens/s | TTFT P50 | TTFT P99 | ITL P99 | "
             "goodput, requests/s |", "|---|---:|---:|---:|---:|---:|---:|---:|"]
    for r in data["rows"]:
        lines.append(f"| `{r['arrivals']}` | {r['rate']:.0f} | {r['request_s']:.1f} | {r['output_tok_s']:.0f} | "
                     f"{1e3 * r['ttft_s']['p50']:.0f} ms | {1e3 * r['ttft_s']['p99']:.0f} ms | "
                     f"{1e3 * r['itl_s']['p99']:.0f} ms | {r['goodput_request_s']:.1f} |")
    m = data["machine"]
    return lines + ["", f"`{data['model']}` on one thread of {m['name']}, {m['simd']}, by `measure.py`: 80 requests "
                        "per run, interleaved; of the two runs of each load the one with the larger P99 of TTFT. "
                        "Goodput: a first token within 0.1 s.", ""]


def report(a):
    rates = a.results.read("rates.json")
    a.results.write_table("rates: results/rates.json", rates_table(rates))
    runs = [a.results.read("timeline.json"), *rates["rows"]]
    source = f"Model {rates['model']} on one thread of {rates['machine']['name']}, {rates['machine']['simd']}. "
    draw([("results", run) for run in runs], a.out, "serve", source)


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, model="tiny", repeats=2)
