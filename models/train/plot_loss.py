#!/usr/bin/env python3
"""Draws the loss of a training from what train.py recorded.

usage: models/train/plot_loss.py LOSS.json [LOSS.json ...] --out FOLDER     (needs matplotlib)

Each LOSS.json becomes a picture of the same name in FOLDER, as .svg and .png.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import COLORS, caption, lesson_main, pyplot, read_json, save_picture, tidy, legend_above  # noqa: E402


def plot(history, picture):
    """history: what train.py writes to loss.json; picture: the path without its ending."""
    plt = pyplot()
    figure, axis = plt.subplots(figsize=(6.4, 3.8))
    looks = (("train", "training, mean of 25 steps", {"color": COLORS[0], "marker": "", "linewidth": 1}),
             ("valid", "validation", {"color": COLORS[1], "linestyle": "--"}))
    for name, label, look in looks:
        axis.plot([p["tokens"] / 1e6 for p in history[name]], [p["loss"] for p in history[name]], label=label, **look)
    values = [p["loss"] for name in ("train", "valid") for p in history[name]]
    axis.set_ylim(int(2 * min(values)) / 2, min(6, max(values) + 0.2))
    axis.set_xlabel("tokens seen, millions")
    axis.set_ylabel("loss, nats per token")
    legend_above(figure, *axis.get_legend_handles_labels(), side="left", ncols=2)
    tidy(axis)
    caption(figure, f"{history['steps']:,} steps in {history['seconds'] / 60:.0f} minutes, {history['precision']}. "
                    + ("Values above 6 nats are cut off. " if max(values) > 6 else "") + "Drawn by models/train/plot_loss.py.")
    save_picture(figure, picture)


def draw(a):
    for file in a.files:
        plot(read_json(file), a.out / file.stem)


if __name__ == "__main__":
    lesson_main(__doc__, draw, rung=False, redraw=None, update=False,
                options=lambda parser: parser.add_argument("files", nargs="+", type=Path, metavar="LOSS.json"))
