#!/usr/bin/env python3
"""Draws the two pictures of this lesson from what `rung plan --kv` prints.

usage: 01_challenges/kv_cache_analysis/plot.py [RUNG] [-o FOLDER]     (needs matplotlib)

Asks the program (by default build/bin/rung) for five published shapes at contexts from 1,024 to 131,072 tokens. Writes
three things into FOLDER, which is the current folder by default: plans.json (the numbers), kv_bytes.svg and .png (bytes
of one sequence), and batch.svg and .png (sequences that fit). The lesson shows those in results/.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import RUNG, ask, lesson_main, pyplot, read_json, save_picture, tidy  # noqa: E402

SHAPES = {
    "llama-2-7b": ("#b5651d", "o", "Llama 2 7B (MHA)"),
    "gemma-2-9b": ("#7b5ea7", "s", "Gemma 2 9B (GQA, every 2nd layer 4096)"),
    "llama-3-8b": ("#1f6f8b", "^", "Llama 3 8B (GQA)"),
    "mistral-7b-v0.1": ("#3a7d44", "D", "Mistral 7B v0.1 (GQA, window 4096)"),
    "deepseek-v2-lite": ("#c0392b", "v", "DeepSeek-V2-Lite (MLA)"),
}
CONTEXTS = [1024 << i for i in range(8)]


def plan(rung, shape, context):
    full = ask(rung, "plan", "--kv", "--shape", shape, "--ctx", context)
    keep = ["bytes_per_token", "bytes_per_sequence", "weights_bytes"]
    row = {"shape": shape, "context": context, **{key: full[key] for key in keep}}
    for budget in full["budgets"]:
        row[f"batch_{round(budget['budget_bytes'] / 1e9)}GB"] = budget["batch_blocks"]
    return row


def context_axis(axis):
    from matplotlib.ticker import FuncFormatter

    axis.set_xscale("log", base=2)
    axis.set_xticks(CONTEXTS)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens / 1024:.0f}k"))
    axis.minorticks_off()
    axis.set_xlabel("context, tokens")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    tidy(axis)


def measure(a):
    rows = [plan(a.rung, shape, context) for shape in SHAPES for context in CONTEXTS]
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "plans.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def report(a):
    plt = pyplot()
    rows = read_json(a.out / "plans.json")

    def series(shape, key):
        return [row[key] for row in rows if row["shape"] == shape]

    figure, axis = plt.subplots(figsize=(6.4, 4.0))
    for shape, (color, marker, label) in SHAPES.items():
        axis.plot(CONTEXTS, [b / 1e9 for b in series(shape, "bytes_per_sequence")], color=color, marker=marker,
                  markersize=4, label=label)
    axis.set_yscale("log")
    axis.set_ylabel("KV cache of one sequence, GB (16 bits)")
    context_axis(axis)
    axis.legend(frameon=False, fontsize=8)
    save_picture(figure, a.out / "kv_bytes", dpi=90)

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.0), sharey=True)
    for axis, budget in zip(axes, ("24GB", "80GB")):
        for shape, (color, marker, label) in SHAPES.items():
            batches = [batch if batch > 0 else float("nan") for batch in series(shape, f"batch_{budget}")]
            axis.plot(CONTEXTS, batches, color=color, marker=marker, markersize=4, label=label)
        axis.set_yscale("log")
        axis.set_title(f"{budget[:-2]} GB for weights (16 bits) and KV cache", fontsize=9)
        context_axis(axis)
    axes[0].set_ylabel("sequences that fit, blocks of 16 tokens")
    axes[0].legend(frameon=False, fontsize=8, loc="upper right")
    save_picture(figure, a.out / "batch", dpi=90)


def options(parser):
    parser.add_argument("rung", nargs="?", default=RUNG, help="the program")
    parser.add_argument("-o", "--out", type=Path, default=Path("."), help="the folder for numbers and pictures")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, rung=False, redraw=None)
