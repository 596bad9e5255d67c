#!/usr/bin/env python3
"""Draws pictures of runs of rung bench-serve, from their JSON.

usage: 06_benchmarks/metrics/plot.py RUN.json [RUN.json ...] --out FOLDER

    rung bench-serve --rate 20 --timeline 64 --json > run.json
    06_benchmarks/metrics/plot.py run.json --out pictures

For every run that has a timeline, run_timeline shows what each sequence did at each time and which request owned the
blocks of the KV cache. run_latency shows the distribution of the latencies and, for runs of different rates, latency
against rate. Several runs share one picture of latencies, runs_latency. Each picture is an .svg and a .png file in
FOLDER. The script fails if a run has nothing to draw. Needs matplotlib.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, INK, MARKERS, MUTED, PAPER, SHADE, UsageError, caption, lesson_main, plain_ticks, pyplot, read_json,
    save_picture, tidy)

STATES = {"waiting": (SHADE, ""), "prefill": (COLORS[4], ""), "decode": (COLORS[0], ""),
          "preempted": (COLORS[1], "/" * 8)}
FREE, KEPT, SHARED = -1, -2, -3  # owners other than a request
OWNERS = {SHARED: ("several sequences", INK), KEPT: ("kept for later", SHADE), FREE: ("free", PAPER)}
ABOVE = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}  # where legends are


def changes(request):
    """[(state, begin, end)] of a request."""
    points = [(word.split("@")[0], float(word.split("@")[1])) for word in request["states"].split()]
    return [(state, begin, points[i + 1][1]) for i, (state, begin) in enumerate(points[:-1])]


def owners(sample):
    """The owner of every block that the map shows."""
    row = []
    for run in sample["map"].split():
        owner, count = run.rsplit("x", 1)
        row += [int(owner)] * int(count)
    return row


def add_boxes(axis, boxes, color, hatch=""):
    """Draws boxes (left, right, bottom, top) of one color as one path, because a path per box makes a large file."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    corners = [(x, y) for left, right, low, high in boxes
               for x, y in ((left, low), (right, low), (right, high), (left, high), (left, low))]
    codes = [Outline.MOVETO, Outline.LINETO, Outline.LINETO, Outline.LINETO, Outline.CLOSEPOLY] * len(boxes)
    axis.add_patch(PathPatch(Outline(corners, codes), facecolor=color, hatch=hatch, linewidth=0))


def legend_boxes(axis, looks):
    """Returns boxes for a legend, one per (color, hatch)."""
    return [axis.bar(0, 0, color=color, hatch=hatch, edgecolor=MUTED if color == PAPER else None, linewidth=0.6)
            for color, hatch in looks]


def draw_states(axis, requests):
    used = {state: [] for state in STATES}
    for row, request in enumerate(requests):
        for state, begin, end in changes(request):
            used[state].append((begin, end, row - 0.41, row + 0.41))
    used = {state: boxes for state, boxes in used.items() if boxes}
    for state, boxes in used.items():
        add_boxes(axis, boxes, *STATES[state])
    axis.legend(legend_boxes(axis, [STATES[state] for state in used]), list(used), ncol=4, **ABOVE)
    axis.set_ylim(len(requests) - 0.4, -0.6)
    axis.set_ylabel("request")
    tidy(axis, "x")


def draw_use(axis, kv):
    """The shares of the slots that are read, reserved and empty, kept for later, and free."""
    slots, samples = kv["slots"], kv["samples"]
    times = [s["t"] for s in samples]
    live = [100 * s["live"] / slots for s in samples]
    reserved = [100 * (s["taken"] - s["kept"]) / slots for s in samples]
    taken = [100 * s["taken"] / slots for s in samples]
    look = {"step": "post", "linewidth": 0}
    axis.fill_between(times, 0, live, color=COLORS[0], label="read by a sequence", **look)
    axis.fill_between(times, live, reserved, color=COLORS[4], label="reserved, empty", **look)
    axis.fill_between(times, reserved, taken, color=SHADE, label="kept for later", **look)
    axis.set_ylim(0, 100)
    axis.set_ylabel("share of the KV cache, %")
    axis.legend(ncol=3, **ABOVE)
    tidy(axis)


def draw_map(axis, kv):
    samples = kv["samples"]
    times = [s["t"] for s in samples]
    times.append(times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1e-3))
    boxes, blocks = {}, list(zip(*(owners(s) for s in samples)))
    for block, row in enumerate(blocks):
        begin = 0
        for i, owner in enumerate(row):
            if i + 1 == len(row) or row[i + 1] != owner:
                boxes.setdefault(owner, []).append((times[begin], times[i + 1], block, block + 1))
                begin = i + 1
    for owner, found in boxes.items():
        if owner != FREE:
            add_boxes(axis, found, OWNERS[owner][1] if owner in OWNERS else COLORS[owner % len(COLORS)])
    every = max(1, -(-kv["blocks"] // max(len(blocks), 1)))
    axis.set_ylabel("block of the KV cache" if every == 1 else f"every {every}th block of the KV cache")
    notes = [note for owner, note in OWNERS.items() if owner in boxes]
    axis.legend(legend_boxes(axis, [(COLORS[0], ""), *((color, "") for _, color in notes)]),
                ["one color per sequence, in turns"] + [label for label, _ in notes], ncol=4, **ABOVE)
    axis.set_ylim(len(blocks), 0)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def timeline(run, picture):
    plt = pyplot()
    line = run["timeline"]
    count = len(line["requests"])
    figure, axes = plt.subplots(3, 1, figsize=(8.6, 6.4 + 0.045 * count), sharex=True,
                                gridspec_kw={"height_ratios": [max(2.0, 0.075 * count), 2.2, 1.1]})
    draw_states(axes[0], line["requests"])
    draw_map(axes[1], line["kv"])
    draw_use(axes[2], line["kv"])
    axes[2].set_xlabel("time, seconds")
    axes[2].set_xlim(0, run["duration_s"])
    rate = f"{run['rate']:g} per second" if run["rate"] > 0 else "all at once"
    counts = f"{run['requests']} requests, {rate}, {run['preemptions']} preemptions"
    caption(figure, f"One run of rung bench-serve: {counts}. "
                    "Made by 06_benchmarks/metrics/plot.py.")
    save_picture(figure, picture)


def draw_cdf(axis, run, title):
    requests = run["timeline"]["requests"]
    looks = (("ttft_s", "first token", COLORS[1], "--"), ("e2e_s", "whole request", COLORS[0], "-"))
    for key, label, color, style in looks:
        values = sorted(1e3 * r[key] for r in requests)
        shares = [100 * (i + 1) / len(values) for i in range(len(values))]
        p99 = values[max(0, -(-99 * len(values) // 100) - 1)]
        axis.step([values[0]] + values, [0] + shares, where="post", color=color, linestyle=style, marker="",
                  label=f"{label}, P99 {p99:.0f} ms")
        axis.plot([p99], [99], "o", color=color)
    axis.set_xscale("log")
    plain_ticks(axis.xaxis)
    axis.set_ylim(0, 103)
    axis.set_xlabel("latency, ms")
    axis.set_ylabel("requests with at most this latency, %")
    axis.legend(ncol=1, **ABOVE)
    if title:
        axis.set_title(title, loc="right", fontsize=8)
    tidy(axis)


def draw_rates(axis, runs):
    known = ["poisson", "gamma", "uniform", "tide"]
    kinds = sorted({r["arrivals"] for r in runs}, key=lambda kind: known.index(kind) if kind in known else 9)
    for kind, color, marker in zip(kinds, COLORS, MARKERS):
        points = sorted((r for r in runs if r["arrivals"] == kind), key=lambda r: r["rate"])
        rates = [r["rate"] for r in points]
        axis.plot(rates, [1e3 * r["ttft_s"]["p99"] for r in points], marker=marker, color=color, label=f"{kind}, P99")
        axis.plot(rates, [1e3 * r["ttft_s"]["p50"] for r in points], marker=marker, color=color, linestyle=":",
                  markerfacecolor=PAPER, label=f"{kind}, median")
    axis.set_yscale("log")
    plain_ticks(axis.yaxis)
    axis.set_xlim(0)
    axis.set_xlabel("load, requests per second")
    axis.set_ylabel("time to first token, ms")
    axis.legend(ncol=2, **ABOVE)
    tidy(axis)


def latency(timed, swept, picture, source):
    plt = pyplot()
    titles = [stem if len(timed) > 1 else "" for stem, _ in timed]
    parts = [lambda axis, run=run, title=title: draw_cdf(axis, run, title) for (_, run), title in zip(timed, titles)]
    if swept:
        parts.append(lambda axis: draw_rates(axis, swept))
    figure, axes = plt.subplots(1, len(parts), figsize=(4.4 * len(parts), 4.0), squeeze=False)
    for part, axis in zip(parts, axes[0]):
        part(axis)
    caption(figure, f"{source}Made by 06_benchmarks/metrics/plot.py.")
    save_picture(figure, picture)


def draw(runs, folder, name, source=""):
    """runs: [(name of the file, its JSON)]; name: how the pictures' names begin; source: a sentence for the caption."""
    timed = [(stem, run) for stem, run in runs if "timeline" in run]
    swept = [run for _, run in runs if run["rate"] > 0 and "timeline" not in run]
    if len({run["rate"] for run in swept}) < 2:  # the timed ones may make a sweep of it
        swept = [run for _, run in runs if run["rate"] > 0]
    if len({run["rate"] for run in swept}) < 2:
        swept = []
    for stem, run in runs:
        if "timeline" not in run and not any(run is other for other in swept):
            raise SystemExit(f"nothing can be drawn of {stem}: it has no timeline (rung bench-serve --timeline N), and "
                             "there are no runs of other rates to draw it with")
    for stem, run in timed:
        timeline(run, folder / f"{stem if len(timed) > 1 else name}_timeline")
    latency(timed, swept, folder / f"{name}_latency", source)


def draw_files(a):
    stems = [path.stem for path in a.runs]
    if len(set(stems)) < len(stems):
        raise UsageError("two runs have the same file name, and so would their pictures; rename one of them")
    draw([(path.stem, read_json(path)) for path in a.runs], a.out, stems[0] if len(stems) == 1 else "runs")


if __name__ == "__main__":
    lesson_main(__doc__, draw_files, rung=False, redraw=None, update=False,
                options=lambda parser: parser.add_argument("runs", nargs="+", type=Path, metavar="RUN.json"))
