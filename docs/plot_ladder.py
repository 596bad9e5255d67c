#!/usr/bin/env python3
"""Draws the ladder picture of the README from the topics' measured results.

usage: docs/plot_ladder.py --out FOLDER     (needs matplotlib)

Reads the answers of `rung ladder SEAM --measure --json` from the results/ of the topics. For each of TRIALS, it shows
the speed of every rung on that workload as a multiple of the first rung's speed. Writes ladder.svg and ladder.png.
--update is for maintainers: it writes to docs/.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lessons import (  # noqa: E402
    COLORS, INK, MUTED, caption, lesson_main, machine_text, plain_ticks, pyplot, read_json, save_picture, tidy)

DOCS = Path(__file__).resolve().parent
# File of the topic: (the beginning of the trial's name, what the picture calls it).
TRIALS = {"attention/results/attention.json": ("decode, context 4096", "Attention: decode at 4,096 tokens"),
          "linear/results/linear.json": ("decode q8_0", "Product: decode with q8_0 weights"),
          "sampling/results/sampler.json": ("top-p 0.9, vocab 128256", "Sampler: top-p 0.9 of 128,256")}


def chosen_rows(document, wanted):
    rows = [row for row in document["rows"] if row["trial"].startswith(wanted) and row["rung"] != "mine"]
    return [row for row in rows if row["trial"] == rows[0]["trial"]]


def draw(a):
    plt = pyplot()
    figure, axes = plt.subplots(1, len(TRIALS), figsize=(9.6, 3.5))
    machines = []
    for axis, (file, (wanted, title)) in zip(axes, TRIALS.items()):
        document = read_json(DOCS.parent / "03_techniques" / file)
        rows = chosen_rows(document, wanted)
        machines.append(f"{document['seam']}: {machine_text(document['machine'])}")
        first = rows[0]["seconds"]
        factors = [first / row["seconds"] for row in rows]
        low, high = ([first / row[key] for row in rows] for key in ("seconds_max", "seconds_min"))
        axis.barh(range(len(rows)), [factor - 1 for factor in factors], left=1, height=0.7, color=COLORS[0],
                  xerr=[[f - l for f, l in zip(factors, low)], [h - f for f, h in zip(factors, high)]],
                  error_kw={"elinewidth": 1, "ecolor": INK})
        for height, (factor, end) in enumerate(zip(factors, high)):
            axis.annotate(f"{factor:.1f}×", (max(end, factor, 1), height), (5, 0), textcoords="offset points",
                          va="center", fontsize=8)
        axis.axvline(1, color=MUTED, linewidth=1)
        axis.set_yticks(range(len(rows)), [row["rung"] for row in rows])
        axis.set_xscale("log")
        axis.set_xlim(0.8 * min(1, *low), 2.2 * max(high))
        plain_ticks(axis.xaxis, (1, 2, 5) if max(high) < 20 else (1, 3) if max(high) < 200 else (1,))
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("speed, multiples of naive (logarithmic)")
        tidy(axis, "x")
    caption(figure, "Bars: medians; thin lines: slowest to fastest run. " + "; ".join(machines) + ". Made by "
                    "docs/plot_ladder.py from the results of the topics.")
    save_picture(figure, a.out / "ladder")


if __name__ == "__main__":
    lesson_main(__doc__, draw, rung=False, redraw=None, own=DOCS)
