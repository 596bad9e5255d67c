#!/usr/bin/env python3
"""Measures what this folder's lesson shows: the figures of four real traces, and what a prefix cache gains if prompts
share prefixes.

usage: 06_benchmarks/workloads/measure.py --traces TRACES --out FOLDER [--model tiny] [--rung build/bin/rung]
           [--repeats 3]
       06_benchmarks/workloads/measure.py --large tinyllama-1.1b-q4_0.gguf --out FOLDER [--repeats 3]
       06_benchmarks/workloads/measure.py --plot --out FOLDER

TRACES is a folder with the unpacked traces: AzureLLMInferenceTrace_conv.csv, AzureLLMInferenceTrace_code.csv
(github.com/Azure/AzurePublicDataset), mooncake_conversation_trace.jsonl, mooncake_synthetic_trace.jsonl
(github.com/kvcache-ai/Mooncake). The script counts their figures itself, without the engine's reader of traces.

Runs with and without a prefix cache are interleaved. A request is a hit if at least half of its prompt was found in the
run with the cache. Its first token is compared with that of the same request in the run without a cache. The script
writes traces.json, prefix.json, prefix_cost.json, tables.md, and prefix.svg and .png (needs matplotlib) to FOLDER.
--large adds its row to prefix.json, so run it after the other loads. --plot only draws. --update is for maintainers: it
writes to results/ and to the tables between the marks of README.md.
"""

import datetime
import json
import math
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, UsageError, caption, interleaved, legend_above, lesson_main, machine, middle, plain_ticks, pyplot,
    save_picture, save_rows, serve, tidy)

NAMES = {"Azure, conversation": "AzureLLMInferenceTrace_conv.csv", "Azure, code": "AzureLLMInferenceTrace_code.csv",
         "Mooncake, conversation": "mooncake_conversation_trace.jsonl",
         "Mooncake, tools and agents": "mooncake_synthetic_trace.jsonl"}
MOONCAKE = "mooncake_conversation_trace.jsonl"
CACHES = ["none", "radix"]
COSTS = ["none", "hash_chain", "radix"]


def read(path):
    """[(seconds, prompt, output, blocks)]"""
    rows = []
    for i, line in enumerate(path.read_text().splitlines()):
        if path.suffix == ".jsonl":
            r = json.loads(line)
            rows.append((r["timestamp"] / 1e3, r["input_length"], r["output_length"], r["hash_ids"]))
        elif i > 0:
            when, prompt, output = line.split(",")
            whole, fraction = (when.split(".") + ["0"])[:2]
            seconds = datetime.datetime.fromisoformat(whole).timestamp() + float("0." + fraction)
            rows.append((seconds, int(prompt), int(output), []))
    return rows


def describe(rows):
    start, end = rows[0][0], rows[-1][0]
    times = [r[0] - start for r in rows]
    gaps = [b - a for a, b in zip(times, times[1:])]
    counts = [0] * (int((end - start) / 10) + 1)
    for t in times:
        counts[int(t / 10)] += 1
    counts.pop()  # the last ten seconds are not complete
    seen, hits, blocks = set(), 0, 0
    for _, _, _, ids in rows:
        known = True
        for block in ids:
            known = known and block in seen
            hits += known
        seen.update(ids)
        blocks += len(ids)
    result = {"requests": len(rows), "minutes": (end - start) / 60, "rate": len(gaps) / (end - start),
              "cv": statistics.pstdev(gaps) / statistics.mean(gaps),
              "dispersion": statistics.pvariance(counts) / statistics.mean(counts)}
    for name, column in (("prompt", 1), ("output", 2)):
        values = [r[column] for r in rows]
        result[name] = {"mean": statistics.mean(values), "median": statistics.median(values), "max": max(values),
                        "log_sd": statistics.pstdev([math.log(v) for v in values if v > 0])}
    if blocks:
        result["blocks"] = {"all": blocks, "distinct": len(seen), "prefix_hits": hits}
    return result


def large_loads():
    return {"chat of 1.1B, 4 turns": ["--multi-turn", 4, "--requests", 16, "--shared-prefix", 300,
                                      "--prompt-tokens", "16-48", "--output-tokens", "8-16", "--rate", 0.08,
                                      "--think", 2, "--timeline", 16, "--max-sequences", 8,
                                      "--ctx", 640, "--linear", "packed,auto"]}


def loads(a):
    """name -> arguments. All of these loads leave room for another request, so that the times are not a queue's."""
    room = ["--max-sequences", "16", "--kv-budget", "200MB", "--ctx", "1024", "--max-step-tokens", "256",
            "--threads", "1"]
    return {
        "Mooncake, conversation": ["--trace", str(a.traces / MOONCAKE), "--length-scale", str(16 / 512), "--max-length",
                                   "1024", "--keep-one-in", "8", "--requests", "120", "--rate", "4",
                                   "--timeline", "120", *room],
        "chat, 6 turns": ["--multi-turn", "6", "--requests", "96", "--shared-prefix", "200", "--prompt-tokens", "16-64",
                          "--output-tokens", "16-48", "--rate", "1.2", "--think", "1", "--timeline", "96", *room],
        "agents, 3 branches": ["--agents", "3", "--depth", "3", "--requests", "78", "--shared-prefix", "200",
                               "--prompt-tokens", "32-96", "--output-tokens", "16-48", "--rate", "0.5",
                               "--timeline", "78", *room],
    }


def count(number, what):
    return f"{number} {what}" + ("s" if number > 1 else "")


def first_tokens(pairs):
    """The times to the first token of the requests that found their prompt in the cache, with and without the cache."""
    hits = [(r, n) for none, radix in pairs for n, r in zip(none["timeline"]["requests"], radix["timeline"]["requests"])
            if 2 * r["cached_tokens"] >= r["prompt_tokens"]]
    misses = [r for _, radix in pairs for r in radix["timeline"]["requests"] if r["cached_tokens"] == 0]

    def median(values):
        return statistics.median(values) if values else None

    return {"hits": len(hits), "misses": len(misses), "requests": sum(len(r["timeline"]["requests"]) for _, r in pairs),
            "hit_prompt": median([r["prompt_tokens"] for r, _ in hits]),
            "hit_cached": median([r["cached_tokens"] for r, _ in hits]),
            "hit_ttft_s": median([r["ttft_s"] for r, _ in hits]),
            "same_without_s": median([n["ttft_s"] for _, n in hits]),
            "lower": median([1 - r["ttft_s"] / n["ttft_s"] for r, n in hits]),
            "miss_prompt": median([r["prompt_tokens"] for r in misses]),
            "miss_ttft_s": median([r["ttft_s"] for r in misses])}


def compare(a, model, cases):
    """-> a row per load"""
    rows = []
    for name, arguments in cases.items():
        pairs = []
        for repeat in range(a.repeats):
            order = CACHES if repeat % 2 == 0 else CACHES[::-1]
            runs = {cache: serve(a.rung, model, *arguments, "--set", f"prefix_cache={cache}") for cache in order}
            pairs.append((runs["none"], runs["radix"]))
            print(name, {c: f"{1e3 * r['ttft_s']['p50']:.1f} ms" for c, r in runs.items()}, flush=True)
        rows.append({"load": name, "arguments": [Path(str(w)).name for w in arguments], "pairs": len(pairs),
                     "hit_rate": statistics.median(r["cache"]["hit_rate"] for _, r in pairs),
                     "left_out": pairs[0][0]["left_out"],
                     "p50_none_s": statistics.median(n["ttft_s"]["p50"] for n, _ in pairs),
                     "p50_radix_s": statistics.median(r["ttft_s"]["p50"] for _, r in pairs), **first_tokens(pairs),
                     "points": [[r["cached_tokens"], r["prompt_tokens"], r["ttft_s"]] for _, radix in pairs[:1]
                                for r in radix["timeline"]["requests"]]})
    return rows


def measure_loads(a):
    a.out.mkdir(parents=True, exist_ok=True)
    traces = {name: describe(read(a.traces / file)) for name, file in NAMES.items()}
    (a.out / "traces.json").write_text(json.dumps(traces, indent=1) + "\n")
    large = [r for r in a.results.before("prefix.json", {"rows": []})["rows"] if r["load"] in large_loads()]
    rows = compare(a, a.model, loads(a)) + large
    save_rows(a.out / "prefix.json", rows, model=a.model, machine=machine(a.rung, "arrivals"))


def measure_large(a):
    data = a.results.before("prefix.json", {})
    if not data:
        raise UsageError(f"--large adds a row to {a.out / 'prefix.json'}, which does not exist; run --traces first")
    small = [r for r in data["rows"] if r["load"] not in large_loads()]
    rows = small + compare(a, a.large, large_loads())
    save_rows(a.out / "prefix.json", rows, model=data["model"], machine=data["machine"])


def measure_cost(a):
    """What a cache costs if it never finds anything: the share of the time that the engine spends in it."""
    cost = ["--requests", 96, "--prompt-tokens", "100-200", "--output-tokens", 60, "--max-sequences", 32]
    runs = interleaved(a.rung, a.model, {c: [*cost, "--set", f"prefix_cache={c}"] for c in COSTS}, a.repeats,
                       lambda r: f"{100 * r['prefix_share']:.3f} %")
    rows = [{"cache": c, "prefix_share": middle(runs[c], lambda r: r["prefix_share"])["prefix_share"],
             "hit_rate": max(r["cache"]["hit_rate"] for r in runs[c])} for c in COSTS]
    save_rows(a.out / "prefix_cost.json", rows, arguments=cost, model=a.model, machine=machine(a.rung, "arrivals"),
              runs=a.repeats)


def traces_table(traces):
    lines = ["| trace | requests | per second | CV of the gaps | dispersion of 10 s counts | prompt, median | "
             "longest | output, median | blocks found again |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name, t in traces.items():
        found = f"{100 * t['blocks']['prefix_hits'] / t['blocks']['all']:.1f} %" if "blocks" in t else "not recorded"
        lines.append(f"| {name} | {t['requests']:,} | {t['rate']:.2f} | {t['cv']:.2f} | {t['dispersion']:.1f} | "
                     f"{t['prompt']['median']:,.0f} | {t['prompt']['max']:,} | "
                     f"{t['output']['median']:,.0f} | {found} |")
    return lines


def prefix_table(data, cost):
    lines = ["| load | tokens found | hits | prompt of a hit | of these found | TTFT of hits | "
             "the same requests without a cache | lower by | TTFT of misses |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for r in data["rows"]:
        misses = f"{1e3 * r['miss_ttft_s']:.1f} ms ({r['miss_prompt']:.0f} tokens)" if r["misses"] else "none"
        lines.append(f"| {r['load']} | {100 * r['hit_rate']:.0f} % | {r['hits']} of {r['requests']} | "
                     f"{r['hit_prompt']:.0f} tokens | "
                     f"{r['hit_cached']:.0f} | {1e3 * r['hit_ttft_s']:.1f} ms | {1e3 * r['same_without_s']:.1f} ms | "
                     f"{100 * r['lower']:.0f} % | {misses} |")
    m = data["machine"]
    lines += ["", f"Medians over all hits of {count(data['rows'][0]['pairs'], 'interleaved pair')} of runs. "
                  f"`{data['model']}` on one thread of {m['name']}, {m['simd']}, by `measure.py`.", ""]
    if cost is None:
        return lines
    shares = ", ".join(f"`{r['cache']}` {100 * r['prefix_share']:.2f} %" for r in cost["rows"] if r["cache"] != "none")
    found = 100 * max(r["hit_rate"] for r in cost["rows"])
    return lines + [f"Where nothing is found ({found:.1f} % of the tokens), the engine spends this share of its time "
                    f"in the cache: {shares} (96 requests, 32 at a time; "
                    f"the middle of {count(cost['runs'], 'run')}).", ""]


def plot(data, folder):
    plt = pyplot()
    rows = [r for r in data["rows"] if r["load"] not in large_loads()]
    if not rows:
        return
    figure, axes = plt.subplots(1, len(rows), figsize=(9.2, 3.9), sharey=True, squeeze=False)
    looks = ((False, COLORS[1], "s", "less than half of the prompt found in the cache"),
             (True, COLORS[0], "o", "half of the prompt or more found"))
    for axis, row in zip(axes[0], rows):
        computed = [(p - c, 1e3 * t, 2 * c >= p) for c, p, t in row["points"]]
        for hit, color, marker, label in looks:
            points = [(x, y) for x, y, h in computed if h == hit]
            axis.plot([x for x, _ in points], [y for _, y in points], linestyle="none", marker=marker, markersize=3.5,
                      alpha=0.65, color=color, label=label, markeredgewidth=0)
        axis.set_title(row["load"])
        axis.set_xlim(0)
        axis.set_yscale("log")
        plain_ticks(axis.yaxis)
        tidy(axis)
    axes[0][len(rows) // 2].set_xlabel("computed tokens of the prompt")
    axes[0][0].set_ylabel("time to first token, ms")
    legend_above(figure, *axes[0][0].get_legend_handles_labels(), side="left", ncols=2)
    caption(figure, f"Each point is one request of one run. Model {data['model']}, one thread of "
                    f"{data['machine']['name']}, {data['machine']['simd']}. "
                    "Made by 06_benchmarks/workloads/measure.py.")
    save_picture(figure, folder / "prefix")


def measure(a):
    if a.large:
        measure_large(a)
        return
    if a.traces is None and a.only != "cost":
        raise UsageError("--traces FOLDER is needed to measure")
    if a.only != "cost":
        measure_loads(a)
    if a.only != "loads":
        measure_cost(a)


def report(a):
    data, traces = a.results.read("prefix.json"), a.results.read("traces.json")
    if traces:
        a.results.write_table("traces: results/traces.json", traces_table(traces))
    if data:
        a.results.write_table("prefix: results/prefix.json", prefix_table(data, a.results.read("prefix_cost.json")))
        plot(data, a.out)


def options(parser):
    parser.add_argument("--traces", type=Path)
    parser.add_argument("--large", help="measure only the load of this model, which has 1.1 billion weights")
    parser.add_argument("--only", choices=["loads", "cost"], help="measure this part and keep the other")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, model="tiny", repeats=3)
