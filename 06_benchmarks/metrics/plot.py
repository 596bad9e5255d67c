#!/usr/bin/env python3
"""Draws pictures of runs of rung bench-serve, from their JSON.

usage: 06_benchmarks/metrics/plot.py RUN.json [RUN.json ...] -o results/serve

    rung bench-serve --rate 20 --timeline 64 --json > run.json
    06_benchmarks/metrics/plot.py run.json -o run

For every run that has a timeline, run_timeline shows what each sequence did at each time and which request owned the
blocks of the KV cache. With several runs, the name is run_NAME_timeline. run_latency shows the distribution of the
latencies of these runs and, for runs of different rates, latency against rate. Each picture is an .svg and a .png file.
The script fails if a run has nothing to draw. Needs matplotlib.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import lesson_main, plain_ticks, pyplot, read_json, save_picture, tidy  # noqa: E402
from lessons.pictures import COLORS, GRID, INK, MARKERS, MUTED, PAPER, caption  # noqa: E402

STATES = {"waiting": GRID, "prefill": COLORS[4], "decode": COLORS[0], "preempted": COLORS[1]}
FREE, KEPT, SHARED = -1, -2, -3  # owners other than a request
FREE_COLOR, KEPT_COLOR, SHARED_COLOR = PAPER, GRID, INK


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


def draw_states(axis, requests):
    for row, request in enumerate(requests):
        for state, begin, end in changes(request):
            axis.barh(row, end - begin, left=begin, height=0.82, color=STATES[state], linewidth=0)
    axis.set_ylim(len(requests) - 0.4, -0.6)
    axis.set_ylabel("request")
    used = {state for r in requests for state, _, _ in changes(r)}
    handles = [axis.barh(0, 0, color=color) for state, color in STATES.items() if state in used]
    axis.legend(handles, [s for s in STATES if s in used], ncol=4, frameon=False, loc="lower left",
                bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    tidy(axis, "x")


def draw_use(axis, kv):
    """The shares of the slots that are read, reserved and empty, kept for later, and free."""
    slots, samples = kv["slots"], kv["samples"]
    times = [s["t"] for s in samples]
    live = [100 * s["live"] / slots for s in samples]
    reserved = [100 * (s["taken"] - s["kept"]) / slots for s in samples]
    taken = [100 * s["taken"] / slots for s in samples]
    axis.fill_between(times, 0, live, step="post", color=COLORS[0], linewidth=0, label="read by a sequence")
    axis.fill_between(times, live, reserved, step="post", color=COLORS[4], linewidth=0, label="reserved, empty")
    axis.fill_between(times, reserved, taken, step="post", color=KEPT_COLOR, linewidth=0, label="kept for later")
    axis.set_ylim(0, 100)
    axis.set_ylabel("slots of the\nKV cache, %")
    axis.legend(ncol=3, frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    tidy(axis)


def draw_map(axis, kv):
    palette = COLORS
    special = {FREE: FREE_COLOR, KEPT: KEPT_COLOR, SHARED: SHARED_COLOR}
    samples = kv["samples"]
    rows = [owners(s) for s in samples]
    times = [s["t"] for s in samples]
    times.append(times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1e-3))
    colors = [[special.get(owner, palette[owner % len(palette)]) for owner in row] for row in zip(*rows)]
    for block, row in enumerate(colors):
        spans = {}  # color -> [(begin, length)], with neighboring samples of one color in one span
        begin = 0
        for i in range(1, len(row) + 1):
            if i == len(row) or row[i] != row[begin]:
                spans.setdefault(row[begin], []).append((times[begin], times[i] - times[begin]))
                begin = i
        for color, where in spans.items():
            axis.broken_barh(where, (block, 1), facecolors=color, linewidth=0)
    axis.set_ylim(len(colors), 0)
    every = max(1, -(-kv["blocks"] // max(len(colors), 1)))
    axis.set_ylabel("block of the KV cache" if every == 1 else f"every {every}th block")
    used = {owner for row in rows for owner in row}
    notes = [(SHARED, "several sequences", SHARED_COLOR), (KEPT, "kept for later", KEPT_COLOR), (FREE, "free", FREE_COLOR)]
    shown = [(label, color) for owner, label, color in notes if owner in used]
    handles = [axis.bar(0, 0, color=palette[0])] + [axis.bar(0, 0, color=c, edgecolor=MUTED, linewidth=0.6) for _, c in shown]
    axis.legend(handles, ["one color per sequence"] + [label for label, _ in shown], ncol=4, frameon=False, loc="lower left",
                bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def timeline(run, name, note):
    plt = pyplot()
    line = run["timeline"]
    count = len(line["requests"])
    figure, axes = plt.subplots(3, 1, figsize=(8.6, 6.2 + 0.045 * count), sharex=True,
                                gridspec_kw={"height_ratios": [max(2.0, 0.075 * count), 2.2, 1.1]}, constrained_layout=True)
    draw_states(axes[0], line["requests"])
    draw_map(axes[1], line["kv"])
    draw_use(axes[2], line["kv"])
    axes[2].set_xlabel("time since the start, seconds")
    axes[2].set_xlim(0, run["duration_s"])
    caption(figure, note)
    save_picture(figure, f"{name}_timeline")


def draw_cdf(axis, run, title):
    requests = run["timeline"]["requests"]
    for key, label, color in (("ttft_s", "TTFT", COLORS[1]), ("e2e_s", "E2E", COLORS[0])):
        values = sorted(1e3 * r[key] for r in requests)
        shares = [100 * (i + 1) / len(values) for i in range(len(values))]
        p99 = values[max(0, -(-99 * len(values) // 100) - 1)]
        axis.step([values[0]] + values, [0] + shares, where="post", color=color, linewidth=1.6, marker="none", linestyle="-" if key == "e2e_s" else "--", label=f"{label}, P99 {p99:.0f} ms")
        axis.plot([p99], [99], "o", markersize=4, color=color)
    axis.set_xscale("log")
    plain_ticks(axis.xaxis)
    axis.set_ylim(0, 103)
    axis.set_xlabel("latency, ms")
    axis.set_ylabel("requests that are at least as fast, %")
    axis.legend(ncol=2, frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, fontsize=8)
    if title:
        axis.set_title(title, loc="right", fontsize=8)
    tidy(axis)


def draw_rates(axis, runs):
    known = ["poisson", "gamma", "uniform", "tide"]
    kinds = sorted({r["arrivals"] for r in runs}, key=lambda kind: known.index(kind) if kind in known else len(known))
    for kind in kinds:
        points = sorted((r for r in runs if r["arrivals"] == kind), key=lambda r: r["rate"])
        rates = [r["rate"] for r in points]
        i = known.index(kind) if kind in known else len(known)
        look = {"color": COLORS[i], "marker": MARKERS[i]}
        axis.plot(rates, [1e3 * r["ttft_s"]["p99"] for r in points], linestyle="-", markersize=4, linewidth=1.5, **look,
                  label=f"{kind}, P99")
        axis.plot(rates, [1e3 * r["ttft_s"]["p50"] for r in points], linestyle=":", markersize=3.5, linewidth=1.2, **look,
                  label=f"{kind}, P50")
    axis.set_yscale("log")
    plain_ticks(axis.yaxis)
    axis.set_xlim(0)
    axis.set_xlabel("rate of arrivals, requests per second")
    axis.set_ylabel("time to first token, ms")
    axis.legend(ncol=2, frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, fontsize=8)
    tidy(axis)


def latency(timed, swept, name, note):
    plt = pyplot()
    titles = [stem if len(timed) > 1 else "" for stem, _ in timed]
    parts = [lambda axis, run=run, title=title: draw_cdf(axis, run, title) for (_, run), title in zip(timed, titles)]
    if swept:
        parts.append(lambda axis: draw_rates(axis, swept))
    figure, axes = plt.subplots(1, len(parts), figsize=(4.3 * len(parts), 3.3), constrained_layout=True, squeeze=False)
    for part, axis in zip(parts, axes[0]):
        part(axis)
    caption(figure, note)
    save_picture(figure, f"{name}_latency")


def draw(runs, name, note="rung bench-serve --json"):
    """runs: [(name of the file, its JSON)]. The note goes into the captions."""
    timed = [(stem, run) for stem, run in runs if "timeline" in run]
    swept = [run for _, run in runs if run["rate"] > 0 and "timeline" not in run]
    if len({run["rate"] for run in swept}) < 2:  # the timed ones may make a sweep of it
        swept = [run for _, run in runs if run["rate"] > 0]
    if len({run["rate"] for run in swept}) < 2:
        swept = []
    for stem, run in runs:
        if "timeline" not in run and not any(run is other for other in swept):
            raise SystemExit(f"nothing can be drawn of {stem}: it has no timeline (rung bench-serve --timeline N), and there "
                             "are no runs of other rates to draw it with")
    for stem, run in timed:
        timeline(run, f"{name}_{stem}" if len(timed) > 1 else name, note)
    latency(timed, swept, name, note)


def draw_files(a):
    draw([(path.stem, read_json(path)) for path in a.runs], a.out)


def options(parser):
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("-o", "--out", required=True, help="where the pictures go, without their ending")


if __name__ == "__main__":
    lesson_main(__doc__, draw_files, options=options, rung=False, redraw=None)
