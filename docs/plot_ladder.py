#!/usr/bin/env python3
"""Draws the picture of the README: how much faster each rung of three ladders is than the first one.

usage: docs/plot_ladder.py --out FOLDER     or --update, for docs/ladder.svg and .png (needs matplotlib)

Reads the answers of `rung ladder SEAM --measure --json` from the results/ of the topics. The length of a bar is the
speed of a rung, relative to the first rung of its ladder, on one workload.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lessons import Results, lesson_main, plain_ticks, pyplot, read_json, save_picture, tidy  # noqa: E402
from lessons.pictures import COLORS, HATCHES, INK, caption  # noqa: E402

LEAST = 0.5  # where the axes begin: some rungs are slower than the first one
ROOT = Path(__file__).resolve().parents[1]
RESULTS = Results(__file__, own=".")
TRIALS = {"attention/results/attention.json": "decode, context 4096", "linear/results/linear.json": "decode q8_0",
          "sampling/results/sampler.json": "top-p 0.9, vocab 128256"}


def chosen_rows(document, wanted):
    rows = [row for row in document["rows"] if row["trial"].startswith(wanted) and row["rung"] != "mine"]
    return [row for row in rows if row["trial"] == rows[0]["trial"]]


def report(_):
    plt = pyplot()
    figure, axes = plt.subplots(1, len(TRIALS), figsize=(10.2, 3.1), layout="constrained")
    machines = []
    for i, (axis, (file, wanted)) in enumerate(zip(axes, TRIALS.items())):
        document = read_json(ROOT / "03_techniques" / file)
        rows = chosen_rows(document, wanted)
        machines.append(document.get("machine", {}).get("name", ""))
        most = max(row["factor"] for row in rows)
        for place, row in enumerate(rows):
            axis.barh(place, row["factor"] - LEAST, left=LEAST, height=0.68, color=COLORS[i], hatch=HATCHES[i])
            axis.text(row["factor"] * 1.06, place, f"{row['factor']:.1f}×", va="center", fontsize=8, color=INK)
        axis.set_yticks(range(len(rows)), [row["rung"] for row in rows])
        axis.set_xscale("log")
        axis.axvline(1, color=INK, linewidth=0.8)
        axis.set_xlim(LEAST, most * 2)
        plain_ticks(axis.xaxis, subs=(1, 2, 5) if most < 20 else (1, 3) if most < 60 else (1,))
        axis.set_xlabel("times as fast as the first rung")
        axis.set_title(f"{document['seam']}: {rows[0]['trial'].split(',')[0]}")
        tidy(axis, "x")
    caption(figure, f"rung ladder SEAM --measure, on {' and '.join(dict.fromkeys(name for name in machines if name))}. "
                    "The first rung is at the bottom of each ladder.")
    save_picture(figure, RESULTS / "ladder")


if __name__ == "__main__":
    lesson_main(__doc__, lambda _: None, report, results=RESULTS, rung=False, redraw=None)
