#!/usr/bin/env python3
"""Draws the two pictures of this lesson from what `rung plan --kv` prints.

usage: 01_challenges/kv_cache_analysis/plot.py --out FOLDER [--rung build/bin/rung]
       01_challenges/kv_cache_analysis/plot.py --plot --out FOLDER

Asks the program for five published shapes at contexts from 1,024 to 131,072 tokens. Writes three things into FOLDER:
plans.json (the numbers), kv_bytes.svg and .png (bytes of one sequence), and batch.svg and .png (sequences that fit).
The pictures need matplotlib. --plot draws numbers that were written before. --update is for maintainers: it writes to
results/, which the lesson shows.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import COLORS, MARKERS, PAPER, ask, caption, lesson_main, pyplot, save_picture, tidy, legend_above  # noqa: E402

SHAPES = {
    "llama-2-7b": "Llama 2 7B (MHA)",
    "gemma-2-9b": "Gemma 2 9B (GQA, window 4,096 in every second layer)",
    "llama-3-8b": "Llama 3 8B (GQA)",
    "mistral-7b-v0.1": "Mistral 7B v0.1 (GQA, window 4,096)",
    "deepseek-v2-lite": "DeepSeek-V2-Lite (MLA)",
}
CONTEXTS = [1024 << i for i in range(8)]
SOURCE = ("Computed from the published shapes by rung plan --kv, not measured. Both axes are logarithmic. "
          "Made by 01_challenges/kv_cache_analysis/plot.py.")


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
    axis.set_yscale("log")
    axis.set_xticks(CONTEXTS)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens / 1024:.0f}k"))
    axis.minorticks_off()
    axis.set_xlabel("context, tokens (1k = 1,024)")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    tidy(axis)


def measure(a):
    rows = [plan(a.rung, shape, context) for shape in SHAPES for context in CONTEXTS]
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "plans.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def report(a):
    plt = pyplot()
    rows = a.results.read("plans.json")

    def lines(axis, value):
        for shape, color, marker in zip(SHAPES, COLORS, MARKERS):
            shown = [row for row in rows if row["shape"] == shape]
            dash = "--" if "window" in SHAPES[shape] else "-"  # two lines coincide until the window is full
            axis.plot([row["context"] for row in shown], [value(row) for row in shown], color=color, marker=marker,
                      linestyle=dash, markerfacecolor=PAPER if dash == "--" else color, label=SHAPES[shape])
        context_axis(axis)

    figure, axis = plt.subplots(figsize=(6.4, 4.8))
    lines(axis, lambda row: row["bytes_per_sequence"] / 1e9)
    axis.set_ylabel("KV cache of one sequence, GB (16-bit elements)")
    legend_above(figure, *axis.get_legend_handles_labels(), side="left", ncols=2)
    caption(figure, SOURCE)
    save_picture(figure, a.out / "kv_bytes")

    figure, axes = plt.subplots(1, 2, figsize=(9.0, 4.6), sharey=True)
    for axis, budget in zip(axes, ("24GB", "80GB")):
        lines(axis, lambda row: row[f"batch_{budget}"] if row[f"batch_{budget}"] > 0 else float("nan"))
        axis.set_title(f"{budget[:-2]} GB for 16-bit weights and the KV cache")
    axes[0].set_ylabel("sequences that fit, with blocks of 16 tokens")
    legend_above(figure, *axes[0].get_legend_handles_labels(), side="left", ncols=3)
    caption(figure, SOURCE + " A line ends where not even one sequence fits.")
    save_picture(figure, a.out / "batch")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report)
