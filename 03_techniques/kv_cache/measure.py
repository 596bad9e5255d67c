#!/usr/bin/env python3
"""Lengths of real requests through the caches of this folder: how much of what they take is wasted.

usage: 03_techniques/kv_cache/measure.py TRACE.csv [--context 16384] [--tokens 131072] [--replay build/bin/kv_cache_replay]
       03_techniques/kv_cache/measure.py --plot

TRACE.csv: the Azure LLM inference trace of conversations (github.com/Azure/AzurePublicDataset, CC-BY), or any file whose
lines end in ",prompt tokens,generated tokens". Writes results/waste.json, the table between the marks of README.md, and
results/waste.svg and .png (needs matplotlib).
"""

import argparse
import json
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"


def measure(a):
    rows = []
    for block in a.blocks:
        out = subprocess.run([a.replay, a.trace, str(a.tokens), str(a.context), str(block)], check=True,
                             capture_output=True, text=True).stdout
        document = json.loads(out)
        for rung, figures in document["rungs"].items():
            if rung == "contiguous" and block != a.blocks[0]:
                continue  # has no blocks
            rows.append({"rung": rung, "block": block if rung != "contiguous" else None, **figures})
    RESULTS.mkdir(exist_ok=True)
    head = {key: document[key] for key in ("requests", "too_long", "context", "tokens")}
    lines = ",\n".join(json.dumps(row) for row in rows)
    (RESULTS / "waste.json").write_text(f"{json.dumps(head)[:-1]}, \"rows\": [\n{lines}\n]}}\n")


def table(data):
    whole = next(r for r in data["rows"] if r["rung"] == "contiguous")
    lines = ["| cache | wasted of what is taken | tokens that are read, of all slots | sequences at a time | against contiguous |",
             "|---|---:|---:|---:|---:|"]
    for r in data["rows"]:
        name = r["rung"] if r["block"] is None else f"{r['rung']}, blocks of {r['block']}"
        lines.append(f"| {name} | {100 * r['waste']:.1f} % | {100 * r['live']:.0f} % | {r['sequences']:.1f} | "
                     f"{r['sequences'] / whole['sequences']:.1f}× |")
    return "\n".join(lines)


def write_table(data):
    readme = HERE / "README.md"
    text = readme.read_text()
    marked = re.compile(r"(<!-- waste: results/waste.json -->\n).*?(<!-- end waste -->)", re.DOTALL)
    readme.write_text(marked.sub(lambda m: m[1] + table(data) + "\n" + m[2], text))


def plot(data):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "rung"
    matplotlib.rcParams["font.size"] = 9
    paged = [r for r in data["rows"] if r["block"] is not None and r["rung"] == "paged"]
    whole = next(r for r in data["rows"] if r["rung"] == "contiguous")
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.2))
    for axis, key, factor, label in ((axes[0], "waste", 100, "% of the taken slots that nobody reads"),
                                     (axes[1], "sequences", 1, "sequences at a time")):
        axis.plot([r["block"] for r in paged], [factor * r[key] for r in paged], "o-", color="#1f6f8b", ms=4, label="paged")
        axis.axhline(factor * whole[key], color="#c0392b", linestyle="--", label="contiguous")
        axis.set_xscale("log", base=2)
        axis.set_xticks([r["block"] for r in paged], [str(r["block"]) for r in paged])
        axis.set_ylim(bottom=0)
        axis.set_xlabel("tokens per block")
        axis.set_ylabel(label)
        axis.grid(True, color="#dddddd", linewidth=0.6)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    axes[0].legend(frameon=False, loc="center right")
    figure.tight_layout()
    figure.savefig(RESULTS / "waste.svg", metadata={"Date": None})
    figure.savefig(RESULTS / "waste.png", dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", nargs="?")
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--tokens", type=int, default=131072, help="that the cache holds")
    parser.add_argument("--blocks", type=lambda s: [int(x) for x in s.split(",")], default=[1, 4, 16, 64, 256])
    parser.add_argument("--replay", default=str(HERE.parents[1] / "build" / "bin" / "kv_cache_replay"))
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    a = parser.parse_args()
    if not a.plot:
        if a.trace is None:
            parser.error("give a TRACE.csv, or --plot")
        measure(a)
    data = json.loads((RESULTS / "waste.json").read_text())
    write_table(data)
    plot(data)


if __name__ == "__main__":
    main()
