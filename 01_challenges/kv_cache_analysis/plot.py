#!/usr/bin/env python3
"""Draws the two pictures of this lesson from what `rung plan --kv` prints.

usage: 01_challenges/kv_cache_analysis/plot.py --out FOLDER [--rung build/bin/rung]

Asks the program for five published shapes at contexts from 1,024 to 131,072 tokens. Writes three things into FOLDER:
plans.json (the numbers), kv_bytes.svg and .png (bytes of one sequence), and batch.svg and .png (sequences that fit).
With --update instead of --out FOLDER, it writes those of this repository. Needs matplotlib.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import Results, ask, lesson_main, pyplot, read_json, save_picture, size_ticks, tidy  # noqa: E402
from lessons.pictures import COLORS, MARKERS, caption  # noqa: E402

RESULTS = Results(__file__)
SHAPES = {
    "llama-2-7b": "Llama 2 7B (MHA)",
    "gemma-2-9b": "Gemma 2 9B (GQA, every 2nd layer 4096)",
    "llama-3-8b": "Llama 3 8B (GQA)",
    "mistral-7b-v0.1": "Mistral 7B v0.1 (GQA, window 4096)",
    "deepseek-v2-lite": "DeepSeek-V2-Lite (MLA)",
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

    size_ticks(axis, CONTEXTS)
    axis.set_xticks(CONTEXTS, [f"{tokens // 1024}k" for tokens in CONTEXTS])
    axis.set_xlabel("context, tokens")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    tidy(axis)


def measure(a):
    rows = [plan(a.rung, shape, context) for shape in SHAPES for context in CONTEXTS]
    (RESULTS / "plans.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def report(_):
    plt = pyplot()
    rows = read_json(RESULTS / "plans.json")

    def line(axis, i, shape, value):
        shown = [row for row in rows if row["shape"] == shape]
        axis.plot([row["context"] for row in shown], [value(row) for row in shown], color=COLORS[i], marker=MARKERS[i],
                  label=SHAPES[shape])

    figure, axis = plt.subplots(figsize=(6.8, 4.3), layout="constrained")
    for i, shape in enumerate(SHAPES):
        line(axis, i, shape, lambda row: row["bytes_per_sequence"] / 1e9)
    axis.set_ylabel("KV cache of one sequence, GB")
    context_axis(axis)
    axis.legend()
    caption(figure, "Computed by rung plan --kv --shape NAME --ctx N, with 16-bit keys and values.")
    save_picture(figure, RESULTS / "kv_bytes")

    figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.2), sharey=True, layout="constrained")
    for axis, budget in zip(axes, ("24GB", "80GB")):
        for i, shape in enumerate(SHAPES):
            line(axis, i, shape, lambda row: row[f"batch_{budget}"] or float("nan"))
        axis.set_title(f"{budget[:-2]} GB for weights and KV cache")
        context_axis(axis)
    axes[0].set_ylabel("sequences that fit")
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    caption(figure, "Computed by rung plan --kv --shape NAME --ctx N, with 16-bit weights, keys and values, in blocks of 16 tokens. A "
                    "curve ends where not even one sequence fits.")
    save_picture(figure, RESULTS / "batch")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, results=RESULTS)
