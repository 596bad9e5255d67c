#!/usr/bin/env python3
"""Counts what this folder's lesson shows: how often the interval of each rung contains the true ratio, how wide it is,
and what stopping at a narrow interval costs.

usage: 06_benchmarks/optimization_impact/measure.py --out FOLDER [--comparisons 10000]
       06_benchmarks/optimization_impact/measure.py --out FOLDER --plot

The program simulates all comparisons with seeds, so every run gives the same numbers. It takes about three minutes.
The script writes coverage.json, stopping.json, examples.txt, the lesson's tables, and coverage.svg and .png (needs
matplotlib) into FOLDER. With --update instead of --out, it writes those of this repository.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    MUTED, RUNG, caption, legend_above, lesson_main, plain_ticks, pyplot, run, save_picture, save_rows, tidy,
    write_between)

STUDY = str(Path(RUNG).with_name("optimization_impact_study"))
COMMAND = "optimization_impact_study"
SYMMETRIC = ["quiet", "drift", "bursts", "skewed"]  # the kinds of noise that disturb both sides alike
ROUNDS = [5, 6, 8, 10, 15, 30]


def save(a, file, text, command):
    """Saves the JSON of the study with the command that printed it."""
    data = json.loads(text)
    rows = data.pop("rows")
    save_rows(a.out / file, rows, one_line=True, command=command, **data)


def measure(a):
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "examples.txt").write_text(run(a.study, "examples").stdout, encoding="utf-8")
    for what, comparisons in (("stopping", 2 * a.comparisons), ("coverage", a.comparisons)):
        save(a, f"{what}.json", run(a.study, what, comparisons, progress=True).stdout, f"{COMMAND} {what} {comparisons}")


def cells(data):
    """{(rung, noise, rounds): row}"""
    return {(r["rung"], r["noise"], r["rounds"]): r for r in data["rows"]}


def rungs_of(data):
    return list(dict.fromkeys(r["rung"] for r in data["rows"]))


def worst(by_cell, rung, rounds):
    return min(by_cell[rung, noise, n]["coverage"] for noise in SYMMETRIC for n in rounds)


def coverage_table(data):
    by_cell = cells(data)
    lines = ["| rung | worst coverage, 5 rounds | worst, 5 to 30 rounds | width, `drift`, 15 rounds | width, `bursts`, 5 rounds | "
             "width, `bursts`, 15 rounds |", "|---|---:|---:|---:|---:|---:|"]
    for rung in rungs_of(data):
        widths = [by_cell[rung, noise, n]["width"] for noise, n in (("drift", 15), ("bursts", 5), ("bursts", 15))]
        lines.append(f"| `{rung}` | {100 * worst(by_cell, rung, [5]):.1f} % | {100 * worst(by_cell, rung, ROUNDS):.1f} % | "
                     + " | ".join(f"{100 * w:.1f} %" for w in widths) + " |")
    return lines + ["", f"{data['comparisons']:,} simulated comparisons per number, intervals of {100 * data['confidence']:.0f} %, "
                        f"{data['resamples']:,} resamples, by `{data['command']}`. A width is the median of ln(high / low).", ""]


def all_table(data):
    by_cell = cells(data)
    lines = ["| noise | rung | " + " | ".join(f"{n} rounds" for n in ROUNDS) + " |", "|---|---|" + "---:|" * len(ROUNDS)]
    for noise in [*SYMMETRIC, "one_sided"]:
        for rung in rungs_of(data):
            found = [by_cell[rung, noise, n] for n in ROUNDS]
            lines.append(f"| `{noise}` | `{rung}` | " + " | ".join(f"{100 * r['coverage']:.1f} ({100 * r['width']:.1f})" for r in found) + " |")
    return lines


def stopping_table(data):
    lines = ["| when the comparison looks at its interval | " + " | ".join(f"`{n}`" for n in SYMMETRIC) + " | rounds for ± 1 %, `quiet` |",
             "|---|" + "---:|" * (len(SYMMETRIC) + 1)]
    for rule in dict.fromkeys(r["rule"] for r in data["rows"]):
        of_rule = [r for r in data["rows"] if r["rule"] == rule]
        lowest = [min(r["coverage"] for r in of_rule if r["noise"] == noise) for noise in SYMMETRIC]
        rounds = next(r["median_rounds"] for r in of_rule if r["noise"] == "quiet" and r["half_width"] == 0.01)
        lines.append(f"| {rule} | " + " | ".join(f"{100 * c:.1f} %" for c in lowest) + f" | {rounds:.0f} |")
    return lines + ["", f"The coverage for the worst of seven wanted widths, from {data['comparisons']:,} simulated comparisons each, with at most "
                        f"{data['most_rounds']} rounds, by `{data['command']}`.", ""]


def plot(data, out):
    plt = pyplot()
    by_cell = cells(data)
    figure, axes = plt.subplots(1, 3, figsize=(9.2, 3.5), constrained_layout=True)
    panels = [("Coverage with the worst noise", "intervals with the true ratio, %", lambda rung, n: 100 * worst(by_cell, rung, [n])),
              ("Width with drift", "median of ln(high / low), %", lambda rung, n: 100 * by_cell[rung, "drift", n]["width"]),
              ("Width with bursts", "", lambda rung, n: 100 * by_cell[rung, "bursts", n]["width"])]
    for axis, (title, label, value) in zip(axes, panels):
        for rung in rungs_of(data):
            axis.plot(ROUNDS, [value(rung, n) for n in ROUNDS], label=rung)
        axis.set_title(title)
        axis.set_ylabel(label)
        axis.set_xlabel("rounds")
        axis.set_xscale("log")
        axis.set_xticks(ROUNDS, [str(n) for n in ROUNDS])
        axis.minorticks_off()
        tidy(axis)
    axes[0].axhline(95, color=MUTED, linewidth=1, linestyle="--")
    for axis in axes[1:]:
        axis.set_yscale("log")
        plain_ticks(axis.yaxis)
    legend_above(figure, *axes[0].get_legend_handles_labels(), side="center", ncols=6)
    caption(figure, f"{data['comparisons']:,} simulated comparisons per point; intervals of 95 %; the dashed line is the coverage that they claim; "
                    f"{data['command']}")
    save_picture(figure, out / "coverage")


def report(a):
    coverage, stopping = a.results.read("coverage.json"), a.results.read("stopping.json")
    a.results.write_table("coverage: results/coverage.json", coverage_table(coverage))
    a.results.write_table("stopping: results/stopping.json", stopping_table(stopping))
    if a.update:
        write_between(Path(__file__).with_name("NOTES.md"), "coverage: results/coverage.json", all_table(coverage))
    plot(coverage, a.out)


def options(parser):
    parser.add_argument("--study", default=STUDY, help="the program that simulates; default: build/bin/optimization_impact_study")
    parser.add_argument("--comparisons", type=int, default=10_000, help="simulated comparisons per number")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, rung=False)
