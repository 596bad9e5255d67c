#!/usr/bin/env python3
"""Measures and draws the roofline of this machine, with the rungs of several seams as dots.

usage: 01_challenges/memory_bandwidth/measure.py [--rung build/bin/rung] [--seams linear,attention,...] [--repeats 3]
       01_challenges/memory_bandwidth/measure.py --plot

For every seam, `rung ladder SEAM --measure` times all rungs and measures the limits of the machine. The script writes
both to results/roofline.json and draws results/roofline.svg and .png (needs matplotlib). It takes some minutes. A seam
that is measured again replaces its rows and leaves those of the other seams.
"""

import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    ask, comma_list, lesson_main, machine_text, pyplot, read_json, save_picture, tidy, write_between)
from lessons.limit_words import LIMIT_WORDS  # noqa: E402

RESULTS = Path(__file__).resolve().parent / "results"
FILE = RESULTS / "roofline.json"
LOOKS = {"bandwidth": ("#7b5ea7", "s"), "attention": ("#3a7d44", "^"), "linear": ("#1f6f8b", "o"), "sampler": ("#b5651d", "D")}
LIMITS = {"read_gb_s": "GB/s", "fma_gflop_s": "GFLOP/s", "int8_gop_s": "GOP/s", "bf16_gflop_s": "GFLOP/s",
          "int8_tile_gop_s": "GOP/s", "bf16_tile_gflop_s": "GFLOP/s"}


def measure(a):
    before = read_json(FILE, {"rows": [], "machines": {}})
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
    RESULTS.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(r) for r in rows)
    machine = ",\n".join(f"{json.dumps(seam)}: {json.dumps(m)}" for seam, m in machines.items())
    command = f"rung ladder SEAM --measure -r {a.repeats} --json"
    FILE.write_text(f'{{"command": "{command}", "machines": {{\n{machine}\n}},\n"rows": [\n{lines}\n]}}\n')


def table(data):
    """For every workload the rung that comes nearest to its limit."""
    lines = ["![The roofline with the rungs of four seams](results/roofline.svg)", "",
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


def report(_):
    plt = pyplot()
    from matplotlib.ticker import FuncFormatter

    data = read_json(FILE)
    write_between(RESULTS.parent / "README.md", "roofline", table(data))
    # The limits were measured once per seam. Another program may have slowed one measurement, so the median is drawn.
    limit = {name: statistics.median(m.get(name, 0) for m in data["machines"].values()) for name in LIMITS}
    figure, axis = plt.subplots(figsize=(8.6, 5.4))
    low, high = 0.08, 3000.0

    def roof(rate, label, color, style):
        knee = rate / limit["read_gb_s"]
        axis.plot([low, knee], [low * limit["read_gb_s"], rate], color="#444444", linewidth=1.4)
        axis.plot([knee, high], [rate, rate], color=color, linestyle=style, linewidth=1.4)
        axis.text(high * 0.93, rate * 1.07, f"{label} {rate:.0f}", ha="right", va="bottom", fontsize=8, color=color)

    roof(limit["fma_gflop_s"], "float32 FMA", "#444444", "-")
    roof(limit["int8_gop_s"], "int8", "#c0392b", "--")
    if limit["bf16_gflop_s"] > 0:
        roof(limit["bf16_gflop_s"], "bf16", "#3a7d44", ":")
    if limit["int8_tile_gop_s"] > 0:
        roof(limit["int8_tile_gop_s"], "int8 tiles", "#c0392b", "-.")
        roof(limit["bf16_tile_gflop_s"], "bf16 tiles", "#3a7d44", "-.")
    axis.text(0.105, 0.105 * limit["read_gb_s"] * 1.13, f"memory {limit['read_gb_s']:.1f} GB/s", rotation=36.5, rotation_mode="anchor",
              fontsize=8, color="#444444")
    for seam, (color, marker) in LOOKS.items():
        rows = [r for r in data["rows"] if r["seam"] == seam and r["gflop_s"] > 0 and r["gb_s"] > 0]
        if not rows:
            continue
        trials = {}
        for r in rows:
            trials.setdefault(r["trial"], []).append(r)
        for climb in trials.values():  # one workload: a ladder of dots above each other
            x = [r["gflop_s"] / r["gb_s"] for r in climb]
            y = [r["gflop_s"] for r in climb]
            axis.plot([x[0], x[0]], [min(y), max(y)], color=color, linewidth=0.7, alpha=0.45)
            axis.plot(x, y, linestyle="none", marker=marker, markersize=4, markerfacecolor="white", markeredgecolor=color)
            top = max(climb, key=lambda r: r["gflop_s"])
            axis.plot(top["gflop_s"] / top["gb_s"], top["gflop_s"], marker=marker, markersize=6, color=color)
        axis.plot([], [], linestyle="none", marker=marker, color=color, label=f"{seam}: {len(trials)} workloads, {len(rows)} dots")
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(low, high)
    axis.set_ylim(min(r["gflop_s"] for r in data["rows"] if r["gflop_s"] > 0) * 0.6, max(limit.values()) * 2.2)
    for a in (axis.xaxis, axis.yaxis):
        a.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_xlabel("operations per byte that must come from memory")
    axis.set_ylabel("10$^9$ operations per second")
    tidy(axis)
    machine = next(iter(data["machines"].values()))
    axis.set_title(f"{machine_text(machine)}; filled: the fastest rung of a workload", fontsize=9)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    save_picture(figure, RESULTS / "roofline")


def options(parser):
    parser.add_argument("--seams", type=comma_list(str), default=list(LOOKS))


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, repeats=3)
