#!/usr/bin/env python3
"""Measures and draws how a model predicts text beyond its trained length.

usage: 01_challenges/long_sequence/measure.py --out FOLDER TEXT [--model tiny] [--times 1,2,4] [--parts 16]
       01_challenges/long_sequence/measure.py --out FOLDER --plot

TEXT should be one that the model was not trained on, of some hundred thousand tokens. For every length and every rung
of seam `rope`, `rung perplexity` reads it in windows of that length. Two more runs have a cache of the trained length
only, which keeps the latest tokens, without and with the first four. The script writes the mean nats per token of each
part of a window to results/length.json and draws results/length.svg and .png (needs matplotlib). --only measures some
methods again and leaves the other rows.
With --update instead of --out FOLDER, it writes the results and the lesson's tables of this repository.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    Results, UsageError, ask, comma_list, lesson_main, pyplot, read_json, save_picture, save_rows, tidy, write_between)
from lessons.pictures import COLORS, INK, MARKERS, MUTED, caption  # noqa: E402

RESULTS = Results(__file__)
FILE = "length.json"
LOOKS = ["plain", "linear", "ntk", "yarn", "window", "sinks"]  # methods, in the order of their colors
SINKS = {"window": 0, "sinks": 4}  # the other methods stretch the positions


def measure(a):
    if a.text is None:
        raise UsageError("give a TEXT to measure on, or --plot")
    trained = ask(a.rung, "inspect", a.model)["model"]["context_length"]
    rows = []
    if a.only != LOOKS:
        rows = [row for row in read_json(RESULTS / FILE)["rows"] if row["rope"] not in a.only]
    for times in a.times:
        for method in a.only if times > 1 else {"plain"} & set(a.only):
            how = ("--set", f"rope={method}")
            if method in SINKS:
                how = ("--sinks", SINKS[method], "--window", trained, "--block-size", 4)
            # A window's last token is predicted and not fed, hence one more than the context.
            out = ask(a.rung, "perplexity", "-m", a.model, "-f", a.text, "--ctx", trained * times + 1, "--stride",
                      trained * times, *how, "--parts", a.parts * times)
            rows.append({"times": times, "rope": method, "ctx": trained * times, "nll": out["nll"], "nll_stderr": out["nll_stderr"],
                         "tokens": out["tokens"], "parts": out["parts"]})
            print(f"{times} times, {method}: {out['nll']:.4f} nats per token", flush=True)
    rows.sort(key=lambda row: (row["times"], LOOKS.index(row["rope"])))
    save_rows(RESULTS / FILE, rows, one_line=True, model=a.model, trained=trained)


def table(data):
    """Nats per token of each trained length of a window."""
    most = max(row["times"] for row in data["rows"])
    lines = ["| `--ctx` | | " + " | ".join(f"to {data['trained'] * (i + 1):,}" for i in range(most)) + " | all |",
             "|---:|---|" + "---:|" * (most + 1)]
    before = 0
    for row in data["rows"]:
        parts, cells = row["parts"], []
        for i in range(most):
            here = parts[i * len(parts) // row["times"]:(i + 1) * len(parts) // row["times"]] if i < row["times"] else []
            tokens = sum(p["tokens"] for p in here)
            cells.append(f"{sum(p['nll'] * p['tokens'] for p in here) / tokens:.3f}" if tokens else "")
        name = "any" if row["times"] == 1 else f"`--sinks {SINKS[row['rope']]}`" if row["rope"] in SINKS else f"`{row['rope']}`"
        ctx = "" if row["times"] == before else f"{row['ctx']:,}"
        before = row["times"]
        lines.append(f"| {ctx} | {name} | " + " | ".join(cells) + f" | {row['nll']:.3f} |")
    return lines


def report(_):
    plt = pyplot()
    data = read_json(RESULTS / FILE)
    write_between(RESULTS.document(), "length", table(data))
    stretches = sorted({row["times"] for row in data["rows"]} - {1})
    figure, axes = plt.subplots(1, len(stretches), figsize=(4.7 * len(stretches), 4.0), sharey=True, squeeze=False,
                                layout="constrained")
    for axis, times in zip(axes[0], stretches):
        shown = [row for row in data["rows"] if row["times"] in (1, times)]
        for i, row in enumerate(shown):
            middles = [(p["from"] + p["to"]) / 2 for p in row["parts"]]
            plain = row["times"] == 1
            # Two methods that coincide remain visible: each line has marks at other places.
            axis.plot(middles, [p["nll"] for p in row["parts"]], color=MUTED if plain else COLORS[LOOKS.index(row["rope"])],
                      linestyle=":" if plain else "-", marker="none" if plain else MARKERS[LOOKS.index(row["rope"])],
                      markevery=(3 * i % 10, 10), linewidth=1.3, label="windows of the trained length" if plain else row["rope"])
        axis.axvline(data["trained"], color=INK, linewidth=0.8)
        axis.set_title(f"{times} times the trained {data['trained']:,} tokens")
        axis.set_xlabel("place of the predicted token in its window, tokens")
        tidy(axis)
    best = min(p["nll"] for row in data["rows"] for p in row["parts"])
    axes[0][0].set_ylim(best - 0.1, best + 1.3)
    axes[0][0].set_ylabel("nats per token")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    caption(figure, f"{data['model']}, by 01_challenges/long_sequence/measure.py. The vertical line is the trained length. Lines that leave "
                    "the picture are above it.")
    save_picture(figure, RESULTS / "length")


def options(parser):
    parser.add_argument("text", nargs="?")
    parser.add_argument("--times", type=comma_list(int), default=[1, 2, 4])
    parser.add_argument("--parts", type=int, default=16, help="parts of a trained length")
    parser.add_argument("--only", type=comma_list(str), default=LOOKS, help="of: " + ", ".join(LOOKS))


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, results=RESULTS, options=options, model="tiny")
