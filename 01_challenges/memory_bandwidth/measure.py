#!/usr/bin/env python3
"""Measures and draws the roofline of this machine, with the rungs of several seams as dots.

usage: 01_challenges/memory_bandwidth/measure.py --out FOLDER [--rung build/bin/rung] [--seams linear,attention,...]
           [--repeats 3]
       01_challenges/memory_bandwidth/measure.py --plot --out FOLDER

For every seam, `rung ladder SEAM --measure` times all rungs and measures the limits of the machine. The script writes
both to FOLDER/roofline.json and a table to FOLDER/tables.md. It draws FOLDER/roofline.svg with all rungs and
FOLDER/roofline_five.svg with five of them, and .png (needs matplotlib). It takes some minutes. A seam that is measured
again replaces its rows and leaves those of the other seams. --plot only draws. --update is for maintainers: it writes
to results/ and to the table of the lesson.
"""

import json
import math
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, INK, PAPER, ask, caption, comma_list, legend_above, lesson_main, machine_text, plain_ticks, pyplot,
    save_picture, tidy)
from lessons.limit_words import LIMIT_WORDS  # noqa: E402

LOOKS = {"bandwidth": (COLORS[3], "s"), "attention": (COLORS[2], "^"), "linear": (COLORS[0], "o"),
         "sampler": (COLORS[4], "D")}
# The five dots of the small picture: seam, beginning of the workload, rung, what to call it, and where (in points).
FIVE = [("bandwidth", "32 kB", "simd", "sum of 32 kB, in a cache\nrung simd of bandwidth\n", (-6, 26)),
        ("bandwidth", "256 MB, pages of 4 kB", "streams", "sum of 256 MB in memory\nrung streams, ", (14, -10)),
        ("bandwidth", "256 MB, pages of 4 kB", "naive", "the same sum, one chain of additions\nrung naive, ", (12, 0)),
        ("linear", "decode q8_0", "packed", "product in decode, 1 token, q8_0\nrung packed of linear, ", (14, -10)),
        ("linear", "prefill f16", "panels", "product in prefill, 128 tokens, f16\nrung panels of linear, ", (14, -16))]
LIMITS = {"read_gb_s": "GB/s", "fma_gflop_s": "GFLOP/s", "int8_gop_s": "GOP/s", "bf16_gflop_s": "GFLOP/s",
          "int8_tile_gop_s": "GOP/s", "bf16_tile_gflop_s": "GFLOP/s"}


def measure(a):
    before = a.results.before("roofline.json", {"rows": [], "machines": {}})
    rows, machines = before["rows"], before["machines"]
    for seam in a.seams:
        out = ask(a.rung, "ladder", seam, "--measure", "-r", a.repeats, progress=True)
        machines[seam] = out["machine"]
        rows = [r for r in rows if r["seam"] != seam]
        for r in out["rows"]:
            if r["passed"] and r["rung"] != "mine":
                kept = ("trial", "rung", "seconds", "gb_s", "gflop_s", "limit")
                rows.append({"seam": seam, **{k: r[k] for k in kept}, "pct_of_limit": round(r["pct_of_limit"], 2)})
        print(f"{seam}: {len(out['rows'])} timings", flush=True)
    a.out.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(r) for r in rows)
    machine = ",\n".join(f"{json.dumps(seam)}: {json.dumps(m)}" for seam, m in machines.items())
    command = f"rung ladder SEAM --measure -r {a.repeats} --json"
    (a.out / "roofline.json").write_text(
        f'{{"command": "{command}", "machines": {{\n{machine}\n}},\n"rows": [\n{lines}\n]}}\n')


def table(data):
    """For every workload the rung that comes nearest to its limit."""
    lines = ["![The roofline with all measured rungs of four seams](results/roofline.svg)", "",
             "| seam | workload | rung | operations per byte | limit | reached |", "|---|---|---|---:|---|---:|"]
    best = {}
    for r in data["rows"]:
        key = (r["seam"], r["trial"], r["limit"])
        if r["gb_s"] > 0 and (key not in best or r["pct_of_limit"] > best[key]["pct_of_limit"]):
            best[key] = r
    for r in best.values():
        lines.append(f"| {r['seam']} | {r['trial']} | `{r['rung']}` | {r['gflop_s'] / r['gb_s']:.3g} | "
                     f"{LIMIT_WORDS[r['limit']]} | {r['pct_of_limit']:.0f} % |")
    machines = list(data["machines"].values())
    names = (("read_gb_s", "GB/s", "read"), ("fma_gflop_s", "GFLOP/s", "float32 FMA"), ("int8_gop_s", "GOP/s", "int8"))
    limits = ", ".join(f"{statistics.median(m[name] for m in machines):.3g} {unit} {what}"
                       for name, unit, what in names)
    return lines + ["", f"Measured by `measure.py` on the CPU: {machine_text(machines[0])}; its limits, measured "
                        f"with each seam (median): {limits}.", ""]


LOW, HIGH = 0.08, 3000.0  # the ends of the horizontal axis


def draw_roofs(axis, data, names):
    """Draws the slope and a flat line for each of `names`: the median of the limits that were measured with each seam,
    and a band from the smallest to the largest of them."""
    def spread(name):
        values = [m.get(name, 0) for m in data["machines"].values()]
        return min(values), statistics.median(values), max(values)

    slope = spread("read_gb_s")
    for name, (label, color, style) in names.items():
        rates = spread(name)
        if rates[1] <= 0:
            continue
        knee = rates[1] / slope[1]
        axis.plot([LOW, knee], [LOW * slope[1], rates[1]], color=INK, marker="", linewidth=1.4)
        axis.plot([knee, HIGH], [rates[1], rates[1]], color=color, marker="", linestyle=style, linewidth=1.4)
        axis.fill_between([knee, HIGH], rates[0], rates[2], color=color, alpha=0.2, linewidth=0)
        axis.annotate(f"{label}: {rates[1]:.0f}", (HIGH, rates[1]), (4, 0), textcoords="offset points", va="center",
                      fontsize=8, color=color, annotation_clip=False)
    highest = spread(list(names)[-1])[1] / slope[1]
    axis.fill_between([LOW, highest], [LOW * slope[0], highest * slope[0]], [LOW * slope[2], highest * slope[2]],
                      color=INK, alpha=0.15, linewidth=0)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(LOW, HIGH)
    for side in (axis.xaxis, axis.yaxis):
        plain_ticks(side, subs=(1,))
    axis.set_xlabel("arithmetic intensity, operations per byte that must come from memory")
    axis.set_ylabel("speed, 10⁹ operations per second")
    tidy(axis)
    return slope[1]


def top(data, names):
    """The upper end of the vertical axis, which leaves room for a label above the highest roof."""
    return 3 * max(m.get(name, 0) for m in data["machines"].values() for name in names)


def slope_text(axis, read, where):
    """Writes along the slope, in an axis that has its final limits."""
    axis.figure.canvas.draw()  # the angle depends on the layout, which drawing computes
    (x0, y0), (x1, y1) = axis.transData.transform([(1, read), (10, 10 * read)])
    axis.text(where, where * read * 1.25, f"memory: {read:.1f} GB/s", rotation_mode="anchor", fontsize=8,
              rotation=math.degrees(math.atan2(y1 - y0, x1 - x0)))


FIVE_ROOFS = {"fma_gflop_s": ("float32", INK, "-")}
ROOFS = {"bf16_gflop_s": ("bf16", COLORS[6], ":"), **FIVE_ROOFS, "int8_gop_s": ("int8", COLORS[1], "--"),
         "bf16_tile_gflop_s": ("bf16 tiles", COLORS[6], "-."),
         "int8_tile_gop_s": ("int8 tiles", COLORS[1], "-.")}


def source(data, more):
    machine = next(iter(data["machines"].values()))
    return (f"{machine_text(machine)}. Each roof is the median of {len(data['machines'])} measurements, and its band "
            f"goes from the lowest to the highest. {more} Made by 01_challenges/memory_bandwidth/measure.py.")


def draw_five(a, plt, data):
    chosen = []
    for seam, trial, rung, text, place in FIVE:
        found = [r for r in data["rows"] if r["seam"] == seam and r["trial"].startswith(trial) and r["rung"] == rung]
        chosen += [(r, text, place) for r in found]
    if not chosen:
        return
    figure, axis = plt.subplots(figsize=(8.4, 5.2))
    read = draw_roofs(axis, data, FIVE_ROOFS)
    for r, text, place in chosen:
        color, marker = LOOKS[r["seam"]]
        axis.plot(r["gflop_s"] / r["gb_s"], r["gflop_s"], marker=marker, markersize=8, color=color, zorder=3)
        share = (f"{r['pct_of_limit']:.0f}% of its roof" if r["pct_of_limit"] < 200 else
                 f"{r['pct_of_limit'] / 100:.0f} times the roof of memory")
        axis.annotate(text + share, (r["gflop_s"] / r["gb_s"], r["gflop_s"]), place, textcoords="offset points",
                      va="center", fontsize=8, color=INK)
    axis.set_ylim(0.5 * min(r["gflop_s"] for r, _, _ in chosen), top(data, FIVE_ROOFS))
    caption(figure, source(data, "A share compares a rung with the roof that was measured in the same run."))
    slope_text(axis, read, 0.36)
    save_picture(figure, a.out / "roofline_five")


def draw_all(a, plt, data):
    dots = [r for r in data["rows"] if r["gflop_s"] > 0 and r["gb_s"] > 0]
    if not dots:
        return
    figure, axis = plt.subplots(figsize=(8.6, 5.8))
    read = draw_roofs(axis, data, ROOFS)
    for seam, (color, marker) in LOOKS.items():
        trials = {}
        for r in dots:
            if r["seam"] == seam:
                trials.setdefault(r["trial"], []).append((r["gflop_s"] / r["gb_s"], r["gflop_s"]))
        if not trials:
            continue
        best = [max(points, key=lambda point: point[1]) for points in trials.values()]
        rest = [point for points, top in zip(trials.values(), best) for point in points if point != top]
        axis.plot(*zip(*rest), linestyle="none", marker=marker, markersize=3.5, markerfacecolor=PAPER, color=color,
                  markeredgewidth=0.8)
        axis.plot(*zip(*best), linestyle="none", marker=marker, markersize=6, color=color,
                  label=f"{seam}: {len(trials)} workloads, {len(rest) + len(best)} rungs")
    axis.set_ylim(min(r["gflop_s"] for r in dots) * 0.6, top(data, ROOFS))
    legend_above(figure, *axis.get_legend_handles_labels(), side="left", ncols=3)
    caption(figure, source(data, "A filled dot is the fastest rung of its workload."))
    slope_text(axis, read, 5)
    save_picture(figure, a.out / "roofline")


def report(a):
    data = a.results.read("roofline.json")
    a.results.write_table("roofline", table(data))
    plt = pyplot()
    draw_five(a, plt, data)
    draw_all(a, plt, data)


def options(parser):
    parser.add_argument("--seams", type=comma_list(str), default=list(LOOKS))


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, repeats=3)
