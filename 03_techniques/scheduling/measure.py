#!/usr/bin/env python3
"""Policies in the engine when there is room and when there is none: how long a request takes.

usage: 03_techniques/scheduling/measure.py --out FOLDER [--model tiny] [--rung build/bin/rung] [--repeats 3]
       03_techniques/scheduling/measure.py --out FOLDER --large tinyllama-1.1b-q4_0.gguf
       03_techniques/scheduling/measure.py --out FOLDER --plot

Two loads have the same 64 requests, of which four run at a time. In "calm" they arrive at a rate that is easy to serve,
and in "rush" all at once. Every eighth has a long prompt and a long answer. In "families", 48 prompts of six kinds
arrive at once, and there is memory for two of them. Prompts of a kind have six of seven parts in common. In "flood",
user 0 sends everything at once, and user 1 sends a short request now and then. The runs of all policies are
interleaved, and the run with the median mean latency counts. --large measures rush and flood with fewer requests and a
model whose speed memory limits, and leaves the other rows. The script writes policies.json and tables.md to FOLDER. It
has no pictures, and --plot only writes the tables. --update is for maintainers: it writes to results/ and to the tables
between the marks of README.md.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import interleaved, lesson_main, machine, middle, save_rows  # noqa: E402

POLICIES = {"calm": ["fifo", "shortest_first", "adaptive"], "rush": ["fifo", "shortest_first", "adaptive"],
            "families": ["fifo", "longest_prefix_match"], "flood": ["fifo", "fair_share"]}
LARGE = ["rush", "flood"]


def mixed(folder, count, longest):
    file = folder / "mixed.csv"
    lengths = [f"{i},150,{longest}" if i % 8 == 3 else f"{i},{8 + 7 * i % 31},{8 + 5 * i % 23}" for i in range(count)]
    file.write_text("\n".join(["arrival,prompt,output", *lengths]) + "\n")
    return ["--trace", file, "--requests", count, "--max-sequences", 4]


def flood(folder, heavy, light, every_s):
    """heavy: (requests, output tokens) of user 0; light: those of user 1, with requests every_s seconds apart."""
    file = folder / "flood.csv"
    lines = [f"0,0,30,{heavy[1]}"] * heavy[0] + [f"{(i + 0.5) * every_s},1,20,{light[1]}" for i in range(light[0])]
    file.write_text("\n".join(["time,user,prompt,output", *lines]) + "\n")
    return ["--trace", file, "--requests", heavy[0] + light[0], "--arrivals", "trace", "--max-sequences", 4]


def loads(folder):
    """name -> arguments of rung bench-serve"""
    # The format of the Mooncake traces: equal numbers stand for equal tokens. A prompt has six blocks of its family and
    # one of its own; after the scaling, a block has 16 tokens.
    families = folder / "families.jsonl"
    prompts = [{"timestamp": 0, "input_length": 7 * 512, "output_length": 16 * 32,
                "hash_ids": [*range(100 * (i % 6), 100 * (i % 6) + 6), 10000 + i]} for i in range(48)]
    families.write_text("".join(json.dumps(prompt) + "\n" for prompt in prompts))
    rush = mixed(folder, 64, 200)
    return {"flood": flood(folder, (96, 60), (12, 20), 0.2), "calm": [*rush, "--rate", 8], "rush": rush,
            "families": ["--trace", families, "--length-scale", 1 / 32, "--requests", 48, "--max-sequences", 2,
                         "--kv-budget", "1500kB", "--ctx", 256, "--set", "prefix_cache=radix"]}


def large_loads(folder):
    packed = ["--linear", "packed,auto"]
    return {"rush": [*mixed(folder, 32, 100), *packed], "flood": [*flood(folder, (32, 32), (6, 8), 1.5), *packed]}


def rows_of(a, model, all_loads, suffix=""):
    rows = []
    for load, arguments in all_loads.items():
        cases = {policy: [*arguments, "--policy", policy] for policy in POLICIES[load]}
        runs = interleaved(a.rung, model, cases, a.repeats, lambda r: f"{1e3 * r['e2e_s']['mean']:.0f} ms")
        for policy, of_policy in runs.items():
            r = middle(of_policy, lambda r: r["e2e_s"]["mean"])
            rows.append({"load": load + suffix, "policy": policy, "found": r["cache"]["hit_rate"],
                         **{key: r[key] for key in ("ttft_s", "e2e_s", "output_tok_s", "users")}})
    return rows


def measure(a):
    old = a.results.before("policies.json", {"rows": []})
    file = a.out / "policies.json"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if a.large:
            kept = [r for r in old["rows"] if not r["load"].endswith(", large")]
            head = {key: value for key, value in old.items() if key not in ("rows", "large")}
            new = rows_of(a, a.large, large_loads(folder), ", large")
            save_rows(file, kept + new, **head, large=machine(a.rung, "policy"))
        else:
            kept = [r for r in old["rows"] if r["load"].endswith(", large")]
            head = {"large": old["large"]} if "large" in old else {}
            new = rows_of(a, a.model, loads(folder))
            save_rows(file, new + kept, model=a.model, machine=machine(a.rung, "policy"), **head)


def flood_table(data, load):
    lines = ["| policy | mean latency of all | the light user's mean | the light user's P99 | the heavy user's P99 | "
             "output tokens/s |", "|---|---:|---:|---:|---:|---:|"]
    for r in data["rows"]:
        if r["load"] == load:
            heavy, light = (user["e2e_s"] for user in r["users"])
            cells = [f"{1e3 * s:.0f} ms" for s in (r["e2e_s"]["mean"], light["mean"], light["p99"], heavy["p99"])]
            lines.append(f"| `{r['policy']}` | " + " | ".join(cells) + f" | {r['output_tok_s']:.0f} |")
    return lines


def table(data, load):
    if load.startswith("flood"):
        return flood_table(data, load)
    lines = ["| policy | mean latency | median | P99 | TTFT median | output tokens/s | of the prompts found |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for r in data["rows"]:
        if r["load"] == load:
            e = r["e2e_s"]
            cells = " | ".join(f"{1e3 * e[key]:.0f} ms" for key in ("mean", "p50", "p99"))
            lines.append(f"| `{r['policy']}` | {cells} | "
                         f"{1e3 * r['ttft_s']['p50']:.0f} ms | {r['output_tok_s']:.0f} | {100 * r['found']:.0f} % |")
    return lines


def report(a):
    data = a.results.read("policies.json")
    for load in [*POLICIES, *(f"{load}, large" for load in LARGE)]:
        if any(r["load"] == load for r in data["rows"]):
            a.results.write_table(f"serve: results/policies.json, {load}", table(data, load))


def options(parser):
    parser.add_argument("--large", help="measure a large model with fewer requests")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, model="tiny", repeats=3)
