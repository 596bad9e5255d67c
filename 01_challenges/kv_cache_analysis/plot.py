#!/usr/bin/env python3
"""Draws the two pictures of this lesson from what `rung plan --kv` prints.

usage: 01_challenges/kv_cache_analysis/plot.py [RUNG] [-o FOLDER]     (needs matplotlib)

Asks the program (by default build/bin/rung) for five published shapes at contexts from 1,024 to 131,072 tokens and writes
into FOLDER (by default this one) plans.json (the numbers), kv_bytes.svg and .png (bytes of one sequence), batch.svg and
.png (sequences that fit). The lesson's own are in results/.
"""

import argparse
import json
import pathlib
import subprocess

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter

HERE = pathlib.Path(__file__).resolve().parent
SHAPES = {
    "llama-2-7b": ("#b5651d", "o", "Llama 2 7B (MHA)"),
    "gemma-2-9b": ("#7b5ea7", "s", "Gemma 2 9B (GQA, every 2nd layer 4096)"),
    "llama-3-8b": ("#1f6f8b", "^", "Llama 3 8B (GQA)"),
    "mistral-7b-v0.1": ("#3a7d44", "D", "Mistral 7B v0.1 (GQA, window 4096)"),
    "deepseek-v2-lite": ("#c0392b", "v", "DeepSeek-V2-Lite (MLA)"),
}
CONTEXTS = [1024 << i for i in range(8)]
matplotlib.rcParams["svg.hashsalt"] = "rung"  # the same data gives the same file
matplotlib.rcParams["font.size"] = 9


def plan(rung, shape, context):
    command = [rung, "plan", "--kv", "--shape", shape, "--ctx", str(context), "--json"]
    full = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    keep = ["bytes_per_token", "bytes_per_sequence", "weights_bytes"]
    row = {"shape": shape, "context": context, **{key: full[key] for key in keep}}
    for budget in full["budgets"]:
        row[f"batch_{round(budget['budget_bytes'] / 1e9)}GB"] = budget["batch_blocks"]
    return row


def context_axis(axis):
    axis.set_xscale("log", base=2)
    axis.set_xticks(CONTEXTS)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens / 1024:.0f}k"))
    axis.minorticks_off()
    axis.set_xlabel("context, tokens")
    axis.grid(True, color="#dddddd", linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def save(figure, path):
    figure.tight_layout()
    figure.savefig(f"{path}.svg", metadata={"Date": None})
    figure.savefig(f"{path}.png", dpi=90)
    print(f"wrote {path}.svg and {path}.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rung", nargs="?", default=str(HERE.parents[1] / "build" / "bin" / "rung"), help="the program")
    parser.add_argument("-o", "--out", type=pathlib.Path, default=pathlib.Path("."), help="the folder for numbers and pictures")
    a = parser.parse_args()
    rung, out = a.rung, a.out
    rows = [plan(rung, shape, context) for shape in SHAPES for context in CONTEXTS]
    out.mkdir(parents=True, exist_ok=True)
    (out / "plans.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")

    def series(shape, key):
        return [row[key] for row in rows if row["shape"] == shape]

    figure, axis = plt.subplots(figsize=(6.4, 4.0))
    for shape, (color, marker, label) in SHAPES.items():
        axis.plot(CONTEXTS, [b / 1e9 for b in series(shape, "bytes_per_sequence")], color=color, marker=marker,
                  markersize=4, label=label)
    axis.set_yscale("log")
    axis.set_ylabel("KV cache of one sequence, GB (16 bits)")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    context_axis(axis)
    axis.legend(frameon=False, fontsize=8)
    save(figure, out / "kv_bytes")

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.0), sharey=True)
    for axis, budget in zip(axes, ("24GB", "80GB")):
        for shape, (color, marker, label) in SHAPES.items():
            batches = [batch if batch > 0 else float("nan") for batch in series(shape, f"batch_{budget}")]
            axis.plot(CONTEXTS, batches, color=color, marker=marker, markersize=4, label=label)
        axis.set_yscale("log")
        axis.set_title(f"{budget[:-2]} GB for weights (16 bits) and KV cache", fontsize=9)
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        context_axis(axis)
    axes[0].set_ylabel("sequences that fit, blocks of 16 tokens")
    axes[0].legend(frameon=False, fontsize=8, loc="upper right")
    save(figure, out / "batch")


if __name__ == "__main__":
    main()
