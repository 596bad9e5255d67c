#!/usr/bin/env python3
"""Draws the ladder picture of the README from the topics' measured results.

usage: docs/plot_ladder.py [OUT.svg]     (needs matplotlib)

Reads the answers of `rung ladder SEAM --measure --json` from the results/ of the topics, and draws a ladder for each of
TRIALS. It shows the speed of every rung relative to the bottom one on that workload.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lessons import pyplot, read_json  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
TRIALS = {"attention/results/attention.json": "decode, context 4096", "linear/results/linear.json": "decode q8_0",
          "sampling/results/sampler.json": "top-p 0.9, vocab 128256"}


def chosen_rows(document, wanted):
    rows = [row for row in document["rows"] if row["trial"].startswith(wanted) and row["rung"] != "mine"]
    return [row for row in rows if row["trial"] == rows[0]["trial"]]


def main():
    plt = pyplot(font_size=10)
    out = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "docs" / "ladder.svg")
    figure, axes = plt.subplots(1, len(TRIALS), figsize=(3.6 * len(TRIALS), 3.6))
    for axis, (file, wanted) in zip(axes, TRIALS.items()):
        document = read_json(ROOT / "03_techniques" / file)
        rows = chosen_rows(document, wanted)
        for height, row in enumerate(rows):
            axis.plot([0, 1], [height, height], color="#b5651d", linewidth=7, solid_capstyle="round")
            axis.text(0.5, height + 0.16, f"{row['rung']}   {row['factor']:.1f}x", ha="center", fontsize=10)
        for rail in (0, 1):
            axis.plot([rail, rail], [-0.5, len(rows) - 0.3], color="#8b4513", linewidth=4, solid_capstyle="round")
        axis.set_xlim(-0.25, 1.25)
        axis.set_ylim(-0.7, len(rows) - 0.1)
        axis.set_title(f"--{document['seam']}", fontsize=12, family="monospace")
        axis.text(0.5, -1.0, rows[0]["trial"], ha="center", fontsize=7.5, color="#555555", clip_on=False)
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(out, metadata={"Date": None})


if __name__ == "__main__":
    main()
