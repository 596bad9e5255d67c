#!/usr/bin/env python3
"""Draws one layer of the model `tiny` with every matrix to scale: results/layer.svg and results/layer.png. Everything
with 768 numbers has half its length.

usage: 01_challenges/one_token/plot.py     (needs matplotlib)
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from lessons import Results, lesson_main, pyplot, save_picture  # noqa: E402
from lessons.pictures import COLORS, INK, MUTED, PAPER, TINTS  # noqa: E402

DIM, HEADS, KV_HEADS, HEAD_DIM, FFN = 256, 8, 2, 32, 768
MATRIX, VECTOR, CACHE = TINTS[0], COLORS[1], TINTS[2]
RESULTS = Results(__file__)


def report(_):
    plt = pyplot(font_size=9)
    figure, axis = plt.subplots(figsize=(14.5, 7.3))

    def box(x, top, width, height, label, color=MATRIX, size=8.5):
        axis.add_patch(plt.Rectangle((x, top - height), width, height, facecolor=color, edgecolor=MUTED, linewidth=0.8))
        axis.text(x + width / 2, top - height / 2, label, ha="center", va="center", fontsize=size)

    def vector(x, top, length, label, below=True):
        axis.add_patch(plt.Rectangle((x, top - length), 14, length, facecolor=VECTOR, edgecolor="none"))
        at = top - length - 12 if below else top + 8
        axis.text(x + 7, at, label, ha="center", va="top" if below else "bottom", fontsize=8.5)

    def arrow(x, y, to_x, to_y=None):
        axis.annotate("", (to_x, y if to_y is None else to_y), (x, y), arrowprops={"arrowstyle": "->", "color": MUTED})

    half = FFN / 2  # everything with 768 numbers is drawn at half its length
    line = -470     # the residual stream runs along this height

    def plus(x):
        """Where the result of a block, which comes from above, is added to the residual stream."""
        axis.add_patch(plt.Circle((x, line), 16, facecolor=PAPER, edgecolor=VECTOR, linewidth=1.6, zorder=3))
        axis.text(x, line - 1, "+", ha="center", va="center", fontsize=12, color=VECTOR, zorder=4)

    def norm(x, label):
        """Takes x from the residual stream, and draws n, which a block begins with."""
        axis.plot([x, x], [line, 0], color=MUTED, linewidth=1)
        arrow(x, 0, x + 62)
        axis.text(x + 30, 12, "norm", ha="center", fontsize=8.5)
        vector(x + 66, DIM / 2, DIM, label)

    axis.plot([14, 2290], [line, line], color=VECTOR, linewidth=2.4, zorder=1)
    vector(0, line + DIM / 2, DIM, "x\n[256]")
    axis.text(560, line - 20, "the residual stream: x passes by every block", ha="center", va="top", fontsize=8.5)

    norm(50, "n\n[256]")
    top = 330
    names = {"q": "q [256]: 8 heads of 32, rotated", "k": "k [64]: 2 heads of 32, rotated", "v": "v [64]: 2 heads of 32"}
    for name, rows in (("q", HEADS * HEAD_DIM), ("k", KV_HEADS * HEAD_DIM), ("v", KV_HEADS * HEAD_DIM)):
        arrow(134, 0, 178, top - rows / 2)
        box(182, top, DIM, rows, f"W_{name} [{rows}, {DIM}]")
        vector(450, top, rows, names[name], below=False)
        top -= rows + 60
    box(550, 22, 120, 64, "keys\n[t, 64]", CACHE)
    box(550, -102, 120, 64, "values\n[t, 64]", CACHE)
    axis.text(610, -176, "KV cache of this layer (t tokens)", ha="center", va="top", fontsize=8.5)
    arrow(468, -18, 546, -10)
    arrow(468, -142, 546, -134)
    arrow(468, 200, 740, 60)
    arrow(674, -10, 740, 30)
    arrow(674, -134, 740, 0)
    axis.text(520, 56, "scores, softmax,\nweighted sum", ha="left", fontsize=8.5)
    vector(744, DIM / 2, DIM, "8 heads\n[256]", below=False)
    arrow(762, 0, 790)
    box(794, DIM / 2, DIM, DIM, "W_out [256, 256]")
    arrow(1054, 0, 1080)
    vector(1084, DIM / 2, DIM, "[256]", below=False)
    arrow(1091, -DIM / 2, 1091, line + 18)
    plus(1091)

    norm(1150, "n\n[256]")
    for name, bottom in (("gate", 15), ("up", -half - 15)):
        arrow(1234, 0, 1278, bottom + half / 2)
        box(1282, bottom + half, DIM, half, f"W_{name} [768, 256]\n(half its height)")
        arrow(1540, bottom + half / 2, 1566)
        vector(1570, bottom + half, half, f"{name} [768]", below=name == "up")
        arrow(1588, bottom + half / 2, 1700, 0)
    vector(1704, half / 2, half, "SiLU(gate) · up\n[768]", below=False)
    arrow(1722, 0, 1750)
    box(1754, DIM / 2, half, DIM, "W_down [256, 768]\n(half its width)")
    arrow(2140, 0, 2166)
    vector(2170, DIM / 2, DIM, "[256]", below=False)
    arrow(2177, -DIM / 2, 2177, line + 18)
    plus(2177)
    vector(2230, line + DIM / 2, DIM, "x, for the\nnext layer")
    axis.text(610, 450, "attention block", ha="center", fontsize=11, color=INK)
    axis.text(1680, 450, "feed-forward block", ha="center", fontsize=11, color=INK)
    axis.set_xlim(-20, 2310)
    axis.set_ylim(-670, 480)
    axis.set_aspect("equal")
    axis.axis("off")
    save_picture(figure, RESULTS / "layer")


if __name__ == "__main__":
    lesson_main(__doc__, lambda _: None, report, results=RESULTS, rung=False, redraw=None)
