#!/usr/bin/env python3
"""Measures and draws the roofline of this machine, with the rungs of several seams as dots.

usage: 01_challenges/memory_bandwidth/measure.py --out FOLDER [--seams linear,attention,...] [--repeats 3]
       01_challenges/memory_bandwidth/measure.py --out FOLDER --plot

For every seam, `rung ladder SEAM --measure` times all rungs and measures the limits of the machine. The script writes
both to results/roofline.json and draws results/roofline.svg and .png (needs matplotlib). It takes some minutes. A seam
that is measured again replaces its rows and leaves those of the other seams.
With --update instead of --out FOLDER, it writes the results and the lesson's tables of this repository.
"""

import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    Results, ask, comma_list, lesson_main, machine_text, pyplot, read_json, save_picture, tidy, write_between)
from lessons.limit_words import LIMIT_WORDS  # noqa: E402
from lessons.pictures import COLORS, GRID, INK, MARKERS, PAPER, caption  # noqa: E402

RESULTS = Results(__file__)
FILE = "roofline.json"
SEAMS = ["bandwidth", "attention", "linear", "sampler"]  # in the order of their colors
LIMITS = {"read_gb_s": "GB/s", "fma_gflop_s": "GFLOP/s", "int8_gop_s": "GOP/s", "bf16_gflop_s": "GFLOP/s",
          "int8_tile_gop_s": "GOP/s", "bf16_tile_gflop_s": "GFLOP/s"}


def measure(a):
    before = read_json(RESULTS / FILE, {"rows": [], "machines": {}})
    rows, machines = before["rows"], before["machines"]
    for seam in a.seams:
        out = ask(a.rung, "ladder", seam, "--measure", "-r", a.repeats, progress=True)
        machines[seam] = out["machine"]
        rows = [r for r in rows if r["seam"] != seam]
        for r in out["rows"]:
            if r["passed"] and r["rung"] != "mine":
                rows.append({"seam": seam, **{k: r[k] for k in ("trial", "rung", "seconds", "gb_s", "gflop_s", "limit")},
                             "pct_of_limit": round(r["pct_of_limit"], 2)})
        print(f"{seam}: {len(out['rows'])} timings", flush=True)
    lines = ",\n".join(json.dumps(r) for r in rows)
    machine = ",\n".join(f"{json.dumps(seam)}: {json.dumps(m)}" for seam, m in machines.items())
    command = f"rung ladder SEAM --measure -r {a.repeats} --json"
    (RESULTS / FILE).write_text(f'{{"command": "{command}", "machines": {{\n{machine}\n}},\n"rows": [\n{lines}\n]}}\n')


def table(data):
    """For every workload the rung that comes nearest to its limit."""
    lines = ["![The roofline with all rungs of four seams](results/roofline_all.svg)", "",
             "| seam | workload | rung | operations per byte | limit | reached |", "|---|---|---|---:|---|---:|"]
    best = {}
    for r in data["rows"]:
        key = (r["seam"], r["trial"], r["limit"])
        if r["gb_s"] > 0 and (key not in best or r["pct_of_limit"] > best[key]["pct_of_limit"]):
            best[key] = r
    for r in best.values():
        lines.append(f"| {r['seam']} | {r['trial']} | `{r['rung']}` | {r['gflop_s'] / r['gb_s']:.3g} | {LIMIT_WORDS[r['limit']]} | "
                     f"{r['pct_of_limit']:.0f} % |")
    machines = list(data["machines"].values())
    limits = ", ".join(f"{statistics.median(m[name] for m in machines):.3g} {unit} {what}" for name, unit, what in
                       (("read_gb_s", "GB/s", "read"), ("fma_gflop_s", "GFLOP/s", "float32 FMA"), ("int8_gop_s", "GOP/s", "int8")))
    return lines + ["", f"Measured by `measure.py` on the CPU: {machine_text(machines[0])}; its limits, measured "
                        f"with each seam (median): {limits}.", ""]


# The kernels of the picture in the text: how a workload is called there, its seam, trial and rung.
FIVE = [("sampling: greedy", "sampler", "greedy, vocab 32000", "simd"),
        ("decode, f16 weights", "linear", "decode f16, 1 token, 2048 -> 5632", "panels"),
        ("decode, q4_0 weights", "linear", "decode q4_0, 1 token, 2048 -> 5632", "packed"),
        ("attention of a prefill", "attention", "prefill 512", "split_kv"),
        ("prefill, q4_0 weights", "linear", "prefill q4_0, 128 tokens, 2048 -> 5632", "packed")]
LOW, HIGH = 0.08, 3000.0  # operations per byte


def limits_of(data):
    """The median of each limit. They were measured once per seam, and another program may have slowed one measurement."""
    return {name: statistics.median(m.get(name, 0) for m in data["machines"].values()) for name in LIMITS}


def draw_roofs(axis, data):
    from matplotlib.ticker import FuncFormatter

    limit = limits_of(data)

    def roof(rate, label, style):
        knee = rate / limit["read_gb_s"]
        axis.plot([max(LOW, knee), HIGH], [rate, rate], color=INK, linestyle=style, linewidth=1.2, marker="none")
        axis.text(HIGH * 0.93, rate * 1.06, f"{label}: {rate:.0f}", ha="right", va="bottom", fontsize=8, color=INK)

    roof(limit["fma_gflop_s"], "float32 FMA", "-")
    roof(limit["int8_gop_s"], "int8", "--")
    if limit["bf16_gflop_s"] > 0:
        roof(limit["bf16_gflop_s"], "bf16", ":")
    if limit["int8_tile_gop_s"] > 0:
        roof(limit["int8_tile_gop_s"], "int8 tiles", "-.")
        roof(limit["bf16_tile_gflop_s"], "bf16 tiles", "-.")
    highest = max(rate for name, rate in limit.items() if name != "read_gb_s")
    # The band is the range of the bandwidths that were measured, one with each seam.
    reads = [m["read_gb_s"] for m in data["machines"].values()]
    ends = [LOW, highest / limit["read_gb_s"]]
    axis.fill_between(ends, [x * min(reads) for x in ends], [x * max(reads) for x in ends], color=GRID, linewidth=0)
    axis.plot(ends, [x * limit["read_gb_s"] for x in ends], color=INK, linewidth=1.2, marker="none")
    axis.text(1.3, 1.3 * max(reads) * 1.2, f"memory: {min(reads):.1f} to {max(reads):.1f} GB/s", rotation=33,
              rotation_mode="anchor", fontsize=8, color=INK)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(LOW, HIGH)
    for a in (axis.xaxis, axis.yaxis):
        a.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_xlabel("operations per byte that must come from memory")
    axis.set_ylabel("10$^9$ operations per second")
    tidy(axis)


def caption_of(data):
    machine = next(iter(data["machines"].values()))
    return f"{machine_text(machine)}; {data.get('command', 'rung ladder SEAM --measure')}"


def draw_five(data):
    """The picture in the text: five kernels with their share of the roof above them."""
    figure, axis = pyplot().subplots(figsize=(8.2, 4.8), layout="constrained")
    draw_roofs(axis, data)
    for i, (name, seam, trial, rung) in enumerate(FIVE):
        row = next(r for r in data["rows"] if (r["seam"], r["rung"]) == (seam, rung) and r["trial"].startswith(trial))
        operations = max(row["gflop_s"], 1e-3)
        x = operations / row["gb_s"] if row["gflop_s"] > 0 else 0.25  # greedy sampling compares: one operation per number
        y = row["gflop_s"] if row["gflop_s"] > 0 else x * row["gb_s"]
        axis.plot(x, y, linestyle="none", marker=MARKERS[i], markersize=8, color=COLORS[i])
        left = row["limit"] == "int8_rate"  # the roof below it is labeled on the right
        axis.annotate(f"{name}\n{row['pct_of_limit']:.0f}% of {LIMIT_WORDS[row['limit']]}", (x, y), xytext=(-9, 7) if left else (9, -4),
                      textcoords="offset points", ha="right" if left else "left", va="bottom" if left else "top", fontsize=8,
                      color=INK)
    axis.set_ylim(1, 3000)
    caption(figure, caption_of(data) + ". Gray: the range of the measured bandwidths.")
    save_picture(figure, RESULTS / "roofline")


def draw_all(data):
    figure, axis = pyplot().subplots(figsize=(8.6, 5.6), layout="constrained")
    draw_roofs(axis, data)
    for i, seam in enumerate(SEAMS):
        color, marker = COLORS[i], MARKERS[i]
        trials = {}
        for r in data["rows"]:
            if r["seam"] == seam and r["gflop_s"] > 0 and r["gb_s"] > 0:
                trials.setdefault(r["trial"], []).append(r)
        for climb in trials.values():  # one workload: a ladder of dots above each other
            x = [r["gflop_s"] / r["gb_s"] for r in climb]
            y = [r["gflop_s"] for r in climb]
            axis.plot([x[0], x[0]], [min(y), max(y)], color=color, linewidth=0.7, marker="none")
            axis.plot(x, y, linestyle="none", marker=marker, markersize=4, markerfacecolor=PAPER, markeredgecolor=color)
            top = max(climb, key=lambda r: r["gflop_s"])
            axis.plot(top["gflop_s"] / top["gb_s"], top["gflop_s"], marker=marker, markersize=6, color=color)
        if trials:
            axis.plot([], [], linestyle="none", marker=marker, color=color,
                      label=f"{seam}: {len(trials)} workloads, {sum(map(len, trials.values()))} dots")
    axis.set_ylim(min(r["gflop_s"] for r in data["rows"] if r["gflop_s"] > 0) * 0.6, max(limits_of(data).values()) * 2.2)
    axis.legend(loc="lower right")
    caption(figure, caption_of(data) + ". Filled: the fastest rung of a workload.")
    save_picture(figure, RESULTS / "roofline_all")


def report(_):
    data = read_json(RESULTS / FILE)
    write_between(RESULTS.document(), "roofline", table(data))
    draw_five(data)
    draw_all(data)


def options(parser):
    parser.add_argument("--seams", type=comma_list(str), default=SEAMS)


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, results=RESULTS, options=options, repeats=3)
