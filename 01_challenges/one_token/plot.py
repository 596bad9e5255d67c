#!/usr/bin/env python3
"""Draws one layer of the model `tiny` with every matrix to scale: results/layer.svg and results/layer.png.

usage: 01_challenges/one_token/plot.py     (needs matplotlib)
"""

import argparse
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "docs"))

from rung_lessons import pyplot, save_picture  # noqa: E402

DIM, HEADS, KV_HEADS, HEAD_DIM, FFN = 256, 8, 2, 32, 768
MATRIX, VECTOR, CACHE = "#cfe2f3", "#8b4513", "#e9f5e6"


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    plt = pyplot(font_size=9)
    figure, axis = plt.subplots(figsize=(13, 6.6))

    def box(x, top, width, height, label, color=MATRIX, size=8.5):
        axis.add_patch(plt.Rectangle((x, top - height), width, height, facecolor=color, edgecolor="#555555", linewidth=0.8))
        axis.text(x + width / 2, top - height / 2, label, ha="center", va="center", fontsize=size)

    def vector(x, top, length, label, below=True):
        axis.add_patch(plt.Rectangle((x, top - length), 14, length, facecolor=VECTOR, edgecolor="none"))
        at = top - length - 12 if below else top + 8
        axis.text(x + 7, at, label, ha="center", va="top" if below else "bottom", fontsize=8.5)

    def arrow(x, y, to_x, to_y=None):
        axis.annotate("", (to_x, y if to_y is None else to_y), (x, y), arrowprops={"arrowstyle": "->", "color": "#555555"})

    middle = 0
    vector(0, middle + DIM / 2, DIM, "x\n[256]")
    arrow(18, 0, 62)
    axis.text(40, 12, "norm", ha="center", fontsize=8.5)
    vector(66, middle + DIM / 2, DIM, "n\n[256]")

    top = 330
    for name, rows in (("q", HEADS * HEAD_DIM), ("k", KV_HEADS * HEAD_DIM), ("v", KV_HEADS * HEAD_DIM)):
        arrow(84, 0, 128, top - rows / 2)
        box(132, top, DIM, rows, f"W_{name} [{rows}, {DIM}]")
        vector(400, top, rows, {"q": "q [256]: 8 heads of 32, rotated", "k": "k [64]: 2 heads of 32, rotated", "v": "v [64]: 2 heads of 32"}[name],
               below=False)
        top -= rows + 60
    box(500, 22, 120, 64, "keys\n[t, 64]", CACHE)
    box(500, -102, 120, 64, "values\n[t, 64]", CACHE)
    axis.text(560, -180, "KV cache of this layer\n(t tokens so far)", ha="center", va="top", fontsize=8.5)
    arrow(418, -18, 496, -10)
    arrow(418, -142, 496, -134)
    arrow(418, 200, 690, 60)
    arrow(624, -10, 690, 30)
    arrow(624, -134, 690, 0)
    axis.text(470, 56, "scores, softmax,\nweighted sum", ha="left", fontsize=8.5)
    vector(694, DIM / 2, DIM, "8 heads\n[256]", below=False)
    arrow(712, 0, 740)
    box(744, DIM / 2, DIM, DIM, "W_out [256, 256]")
    arrow(1004, 0, 1030)
    vector(1034, DIM / 2, DIM, "x += ...\n[256]")
    arrow(1052, 0, 1096)
    axis.text(1074, 12, "norm", ha="center", fontsize=8.5)
    box(1100, 3 * DIM / 2 + 30, DIM, FFN / 2, "", MATRIX)
    axis.text(1100 + DIM / 2, 3 * DIM / 2 + 40, "W_gate and W_up [768, 256], drawn at half height", ha="center", va="bottom", fontsize=8.5)
    axis.text(1100 + DIM / 2, 222, "W_gate", ha="center", va="center", fontsize=8.5)
    box(1100, 0, DIM, FFN / 2, "W_up")
    arrow(1360, 0, 1400)
    vector(1404, FFN / 4, FFN / 2, "SiLU(gate) · up\n[768]")
    arrow(1422, 0, 1446)
    box(1450, DIM / 2, FFN / 2, DIM, "W_down [256, 768],\ndrawn at half width")
    arrow(1838, 0, 1862)
    vector(1866, DIM / 2, DIM, "x += ...\n[256]")
    axis.set_xlim(-20, 1910)
    axis.set_ylim(-440, 470)
    axis.set_aspect("equal")
    axis.axis("off")
    (FOLDER / "results").mkdir(exist_ok=True)
    save_picture(figure, FOLDER / "results" / "layer")


if __name__ == "__main__":
    main()
