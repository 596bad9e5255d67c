#!/usr/bin/env python3
"""Draws one layer of the model `tiny` with every matrix to scale. Everything with 768 numbers has half its length.

usage: 01_challenges/one_token/plot.py --out FOLDER     (needs matplotlib)

Writes layer.svg and layer.png. --update is for maintainers: it writes to results/, which the lesson shows.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import COLORS, MUTED, PAPER, TINTS, caption, lesson_main, pyplot, save_picture  # noqa: E402

DIM, HEADS, KV_HEADS, HEAD_DIM, FFN = 256, 8, 2, 32, 768
MATRIX, VECTOR, CACHE = TINTS[0], COLORS[1], TINTS[2]


def draw(a):
    plt = pyplot(font_size=8)
    figure, axis = plt.subplots(figsize=(9.6, 5.4))

    def text(x, y, words, **look):
        axis.text(x, y, words, **{"ha": "center", "va": "top", "linespacing": 1.1, **look})

    def box(x, top, width, height, label, color=MATRIX):
        axis.add_patch(plt.Rectangle((x, top - height), width, height, facecolor=color, edgecolor=MUTED, linewidth=0.8))
        text(x + width / 2, top - height / 2, label, va="center")

    def vector(x, top, length, label, below=True):
        axis.add_patch(plt.Rectangle((x, top - length), 14, length, facecolor=VECTOR, edgecolor="none"))
        text(x + 7, top - length - 10 if below else top + 8, label, va="top" if below else "bottom")

    def arrow(x, y, to_x, to_y=None):
        axis.annotate("", (to_x, y if to_y is None else to_y), (x, y),
                      arrowprops={"arrowstyle": "->", "color": MUTED, "shrinkA": 0, "shrinkB": 0})

    half = FFN / 2  # everything with 768 numbers is drawn at half its length
    line = -480     # the residual stream runs along this height

    def plus(x):
        """Where the result of a block, which comes from above, is added to the residual stream."""
        axis.add_patch(plt.Circle((x, line), 18, facecolor=PAPER, edgecolor=VECTOR, linewidth=1.6, zorder=3))
        text(x, line - 2, "+", va="center", fontsize=10, zorder=4)

    def norm(x):
        """Takes x from the residual stream, and draws n, which a block begins with."""
        axis.plot([x, x], [line, 0], color=MUTED, marker="", linewidth=1)
        arrow(x, 0, x + 62)
        text(x - 14, -230, "norm", rotation=90, va="center")
        vector(x + 66, DIM / 2, DIM, "n\n[256]")

    axis.plot([14, 2290], [line, line], color=VECTOR, marker="", linewidth=2.4, zorder=1)
    vector(0, line + DIM / 2, DIM, "x\n[256]")
    text(560, line - 20, "the residual stream: x passes by every block")

    norm(66)
    top = 330
    names = {"q": "q [256]: 8 heads\nof 32, rotated", "k": "k [64]: 2 heads\nof 32, rotated",
             "v": "v [64]: 2 heads of 32"}
    for name, rows in (("q", HEADS * HEAD_DIM), ("k", KV_HEADS * HEAD_DIM), ("v", KV_HEADS * HEAD_DIM)):
        arrow(150, 0, 194, top - rows / 2)
        box(198, top, DIM, rows, f"W_{name} [{rows}, {DIM}]")
        vector(466, top, rows, names[name], below=False)
        top -= rows + 106
    box(596, -32, 120, 64, "keys\n[t, 64]", CACHE)
    box(596, -202, 120, 64, "values\n[t, 64]", CACHE)
    text(656, -276, "KV cache of this layer\n(t tokens)")
    arrow(484, -64, 592)
    arrow(484, -234, 592)
    arrow(484, 200, 766, 70)
    arrow(720, -64, 766, 10)
    arrow(720, -234, 766, -60)
    text(545, 210, "scores, softmax,\nweighted sum", ha="left", va="bottom")
    vector(770, DIM / 2, DIM, "8 heads\n[256]", below=False)
    arrow(788, 0, 812)
    box(816, DIM / 2, DIM, DIM, "W_out\n[256, 256]")
    arrow(1076, 0, 1098)
    vector(1102, DIM / 2, DIM, "[256]", below=False)
    arrow(1109, -DIM / 2, 1109, line + 20)
    plus(1109)

    norm(1180)
    for name, bottom in (("gate", 15), ("up", -half - 15)):
        arrow(1264, 0, 1298, bottom + half * (0.5 if name == "gate" else 0.8))
        box(1302, bottom + half, DIM, half, f"W_{name}\n[768, 256]\n(half its height)")
        arrow(1562, bottom + half / 2, 1582)
        vector(1586, bottom + half, half, f"{name} [768]", below=name == "up")
        arrow(1604, bottom + half / 2, 1710, 0)
    vector(1714, half / 2, half, "SiLU(gate) · up\n[768]", below=False)
    arrow(1732, 0, 1756)
    box(1760, DIM / 2, half, DIM, "W_down\n[256, 768]\n(half its width)")
    arrow(2148, 0, 2170)
    vector(2174, DIM / 2, DIM, "[256]", below=False)
    arrow(2181, -DIM / 2, 2181, line + 20)
    plus(2181)
    vector(2234, line + DIM / 2, DIM, "x, for the\nnext layer")
    text(610, 500, "Attention block", fontsize=10, fontweight="bold")
    text(1710, 500, "Feed-forward block", fontsize=10, fontweight="bold")
    axis.set_xlim(-40, 2330)
    axis.set_ylim(-700, 520)
    axis.set_aspect("equal")
    axis.axis("off")
    caption(figure, "The sizes are those of the model tiny. An orange bar is a vector, and a box is a matrix. Made by "
                    "01_challenges/one_token/plot.py.")
    save_picture(figure, a.out / "layer")


if __name__ == "__main__":
    lesson_main(__doc__, draw, rung=False, redraw=None)
