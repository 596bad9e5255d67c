#!/usr/bin/env python3
"""Sends the lengths of real requests through the caches of this folder, and counts how much of their memory is wasted.

usage: 03_techniques/kv_cache/measure.py TRACE.csv --out FOLDER [--context 16384] [--tokens 131072]
           [--replay build/bin/kv_cache_replay]
       03_techniques/kv_cache/measure.py --plot --out FOLDER

TRACE.csv is the Azure LLM inference trace of conversations (github.com/Azure/AzurePublicDataset, CC-BY), or any file
whose lines end in ",prompt tokens,generated tokens". The script writes waste.json, tables.md, and waste.svg and .png
(needs matplotlib) to FOLDER. --plot only draws. --update is for maintainers: it writes to results/ and to the table
between the marks of README.md.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, RUNG, UsageError, caption, comma_list, legend_above, lesson_main, pyplot, run, save_picture, save_rows,
    size_ticks, tidy)


def measure(a):
    if a.trace is None:
        raise UsageError("give a TRACE.csv, or --plot")
    rows = []
    for block in a.blocks:
        document = json.loads(run(a.replay, a.trace, a.tokens, a.context, block).stdout)
        for rung, figures in document["rungs"].items():
            if rung == "contiguous" and block != a.blocks[0]:
                continue  # has no blocks
            rows.append({"rung": rung, "block": block if rung != "contiguous" else None, **figures})
    head = {key: document[key] for key in ("requests", "too_long", "context", "tokens")}
    save_rows(a.out / "waste.json", rows, one_line=True, **head)


def table(data):
    whole = next(r for r in data["rows"] if r["rung"] == "contiguous")
    lines = ["| cache | wasted of what is taken | tokens that are read, of all slots | sequences at a time | "
             "against contiguous |", "|---|---:|---:|---:|---:|"]
    for r in data["rows"]:
        name = r["rung"] if r["block"] is None else f"{r['rung']}, blocks of {r['block']}"
        lines.append(f"| {name} | {100 * r['waste']:.1f} % | {100 * r['live']:.0f} % | {r['sequences']:.1f} | "
                     f"{r['sequences'] / whole['sequences']:.1f}× |")
    return lines


def report(a):
    data = a.results.read("waste.json")
    a.results.write_table("waste: results/waste.json", table(data))
    plt = pyplot()
    paged = [r for r in data["rows"] if r["block"] is not None and r["rung"] == "paged"]
    whole = next(r for r in data["rows"] if r["rung"] == "contiguous")
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.8))
    for axis, key, factor, label in ((axes[0], "waste", 100, "taken slots that no sequence reads, %"),
                                     (axes[1], "sequences", 1, "sequences at a time, mean")):
        axis.plot([r["block"] for r in paged], [factor * r[key] for r in paged], color=COLORS[0],
                  label="paged: blocks of some tokens")
        axis.axhline(factor * whole[key], color=COLORS[1], linestyle="--",
                     label=f"contiguous: {data['context']:,} tokens reserved per sequence")
        size_ticks(axis, [r["block"] for r in paged])
        axis.set_ylim(bottom=0)
        axis.set_xlabel("block size, tokens")
        axis.set_ylabel(label)
        tidy(axis)
    legend_above(figure, *axes[0].get_legend_handles_labels(), side="left", ncols=2)
    caption(figure, f"{data['requests']:,} requests replayed through a cache of {data['tokens']:,} tokens; the figures "
                    "do not depend on the machine. Made by 03_techniques/kv_cache/measure.py.")
    save_picture(figure, a.out / "waste")


def options(parser):
    parser.add_argument("trace", nargs="?")
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--tokens", type=int, default=131072, help="the number of tokens that the cache holds")
    parser.add_argument("--blocks", type=comma_list(int), default=[1, 4, 16, 64, 256])
    parser.add_argument("--replay", default=str(Path(RUNG).with_name("kv_cache_replay")))


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, rung=False)
