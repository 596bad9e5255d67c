#!/usr/bin/env python3
"""Measures and draws how a model predicts text beyond its trained length.

usage: 01_challenges/long_sequence/measure.py TEXT --out FOLDER [--model tiny] [--rung build/bin/rung] [--times 1,2,4]
           [--parts 16]
       01_challenges/long_sequence/measure.py --plot --out FOLDER

TEXT should be one that the model was not trained on, of some hundred thousand tokens. For every length and every rung
of seam `rope`, `rung perplexity` reads it in windows of that length. Two more runs have a cache of the trained length
only, which keeps the latest tokens, without and with the first four. The script writes the mean nats per token of each
part of a window to FOLDER/length.json and a table to FOLDER/tables.md, and draws FOLDER/length.svg and .png (needs
matplotlib). --only measures some methods again and leaves the other rows. --plot only draws. --update is for
maintainers: it writes to results/ and to the tables of the lesson.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, INK, MUTED, UsageError, ask, caption, comma_list, legend_above, lesson_main, pyplot, save_picture,
    save_rows, tidy)

# The window with and without the first tokens gives the same figures, so its line is wide and lies below the other.
LOOKS = {
    "plain": {"color": COLORS[1], "marker": "s", "label": "plain: angles as trained"},
    "linear": {"color": COLORS[4], "marker": "v", "linestyle": "--", "label": "linear stretch"},
    "ntk": {"color": COLORS[0], "marker": "o", "linestyle": "-.", "label": "NTK stretch"},
    "yarn": {"color": COLORS[2], "marker": "^", "label": "YaRN stretch"},
    "window": {"color": COLORS[5], "marker": "", "linewidth": 5, "alpha": 0.7, "zorder": 1.8, "label": "window"},
    "sinks": {"color": INK, "marker": "", "linestyle": "--", "linewidth": 1, "zorder": 1.9,
              "label": "window and the first 4 tokens (same values)"}}
SINKS = {"window": 0, "sinks": 4}  # the other methods stretch the positions


def measure(a):
    if a.text is None:
        raise UsageError("give a TEXT to measure on, or --plot")
    trained = ask(a.rung, "inspect", a.model)["model"]["context_length"]
    rows = []
    if a.only != list(LOOKS):
        rows = [row for row in a.results.before("length.json", {"rows": []})["rows"] if row["rope"] not in a.only]
    for times in a.times:
        for method in a.only if times > 1 else {"plain"} & set(a.only):
            how = ("--set", f"rope={method}")
            if method in SINKS:
                how = ("--sinks", SINKS[method], "--window", trained, "--block-size", 4)
            # A window's last token is predicted and not fed, hence one more than the context.
            out = ask(a.rung, "perplexity", "-m", a.model, "-f", a.text, "--ctx", trained * times + 1, "--stride",
                      trained * times, *how, "--parts", a.parts * times)
            rows.append({"times": times, "rope": method, "ctx": trained * times,
                         **{key: out[key] for key in ("nll", "nll_stderr", "tokens", "parts")}})
            print(f"{times} times, {method}: {out['nll']:.4f} nats per token", flush=True)
    rows.sort(key=lambda row: (row["times"], list(LOOKS).index(row["rope"])))
    save_rows(a.out / "length.json", rows, one_line=True, model=a.model, trained=trained)


def table(data):
    """Nats per token of each trained length of a window."""
    most = max(row["times"] for row in data["rows"])
    lines = ["| `--ctx` | | " + " | ".join(f"to {data['trained'] * (i + 1):,}" for i in range(most)) + " | all |",
             "|---:|---|" + "---:|" * (most + 1)]
    before = 0
    for row in data["rows"]:
        parts, cells = row["parts"], []
        for i in range(most):
            ends = (j * len(parts) // row["times"] for j in (i, i + 1))
            here = parts[slice(*ends)] if i < row["times"] else []
            tokens = sum(p["tokens"] for p in here)
            cells.append(f"{sum(p['nll'] * p['tokens'] for p in here) / tokens:.3f}" if tokens else "")
        name = f"`--sinks {SINKS[row['rope']]}`" if row["rope"] in SINKS else f"`{row['rope']}`"
        name = "any" if row["times"] == 1 else name
        ctx = "" if row["times"] == before else f"{row['ctx']:,}"
        before = row["times"]
        lines.append(f"| {ctx} | {name} | " + " | ".join(cells) + f" | {row['nll']:.3f} |")
    return lines


def report(a):
    data = a.results.read("length.json")
    a.results.write_table("length", table(data))
    plt = pyplot()
    stretches = sorted({row["times"] for row in data["rows"]} - {1})
    figure, axes = plt.subplots(1, len(stretches), figsize=(4.6 * len(stretches), 4.6), sharey=True, squeeze=False)
    best = min(p["nll"] for row in data["rows"] for p in row["parts"])
    for axis, times in zip(axes[0], stretches):
        for row in (row for row in data["rows"] if row["times"] in (1, times)):
            middles = [(p["from"] + p["to"]) / 2 for p in row["parts"]]
            look = LOOKS[row["rope"]]
            if row["times"] == 1:
                look = {"color": MUTED, "marker": "", "linestyle": ":", "label": "contexts of the trained length"}
            axis.plot(middles, [p["nll"] for p in row["parts"]], markevery=(times, 4 * times), **look)
        stderr = [p["nll_stderr"] for row in data["rows"] if row["times"] == times for p in row["parts"]]
        stderr = sum(stderr) / len(stderr)
        axis.errorbar([data["trained"] * times * 0.56], [best + 1.18], [stderr], color=INK, marker="")
        axis.text(data["trained"] * times * 0.59, best + 1.18, f"standard error: ±{stderr:.2f}",
                  va="center", fontsize=8)
        axis.axvline(data["trained"], color=MUTED, linewidth=1)
        axis.set_title(f"Contexts of {data['trained'] * times:,} tokens")
        axis.set_xlabel("position of the predicted token")
        tidy(axis)
    axes[0][0].set_ylim(best - 0.1, best + 1.3)
    axes[0][0].set_ylabel("mean loss, nats per token")
    legend_above(figure, *axes[0][0].get_legend_handles_labels(), side="left", ncols=3)
    tokens = max(row["tokens"] for row in data["rows"])
    caption(figure, f"Model {data['model']}, {tokens:,} predicted tokens. The vertical line is the trained length. "
                    "Made by 01_challenges/long_sequence/measure.py.")
    save_picture(figure, a.out / "length")


def options(parser):
    parser.add_argument("text", nargs="?")
    parser.add_argument("--times", type=comma_list(int), default=[1, 2, 4])
    parser.add_argument("--parts", type=int, default=16, help="parts of a trained length")
    parser.add_argument("--only", type=comma_list(str), default=list(LOOKS), help="of: " + ", ".join(LOOKS))


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, model="tiny")
