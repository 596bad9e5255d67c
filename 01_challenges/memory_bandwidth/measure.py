#!/usr/bin/env python3
"""Measures and draws the roofline of this machine with the kernels of the house as dots.

usage: 01_challenges/memory_bandwidth/measure.py [--rung build/bin/rung] [--seams linear,attention,...] [--repeats 3]
       01_challenges/memory_bandwidth/measure.py --plot

For every seam `rung ladder SEAM --measure` times all rungs and measures the machine's limits; results/roofline.json
receives both, results/roofline.svg and .png the picture (needs matplotlib). Takes some minutes; a seam that is measured
again replaces its rows and leaves the others.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "docs"))
from lesson_marks import write_between  # noqa: E402

RESULTS = HERE / "results"
FILE = RESULTS / "roofline.json"
LOOKS = {"bandwidth": ("#7b5ea7", "s"), "attention": ("#3a7d44", "^"), "linear": ("#1f6f8b", "o"), "sampler": ("#b5651d", "D")}
LIMITS = {"read_gb_s": "GB/s", "fma_gflop_s": "GFLOP/s", "int8_gop_s": "GOP/s", "bf16_gflop_s": "GFLOP/s"}


def measure(rung, seams, repeats):
    rows = json.loads(FILE.read_text())["rows"] if FILE.is_file() else []
    machines = json.loads(FILE.read_text())["machines"] if FILE.is_file() else {}
    for seam in seams:
        command = [rung, "ladder", seam, "--measure", "-r", str(repeats), "--json"]
        out = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
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
    FILE.write_text(f'{{"command": "rung ladder SEAM --measure -r {repeats} --json", "machines": {{\n{machine}\n}},\n"rows": [\n{lines}\n]}}\n')


def table(data):
    """For every workload the rung that comes nearest to its limit."""
    from rung_lessons.limit_words import LIMIT_WORDS as names
    lines = ["![The roofline with the kernels of the house](results/roofline.svg)", "",
             "| seam | workload | rung | operations per byte | limit | reached |", "|---|---|---|---:|---|---:|"]
    best = {}
    for r in data["rows"]:
        key = (r["seam"], r["trial"], r["limit"])
        if r["gb_s"] > 0 and (key not in best or r["pct_of_limit"] > best[key]["pct_of_limit"]):
            best[key] = r
    for r in best.values():
        lines.append(f"| {r['seam']} | {r['trial']} | `{r['rung']}` | {r['gflop_s'] / r['gb_s']:.3g} | {names[r['limit']]} | "
                     f"{r['pct_of_limit']:.0f} % |")
    machines = list(data["machines"].values())
    limits = ", ".join(f"{statistics.median(m[name] for m in machines):.3g} {unit} {what}" for name, unit, what in
                       (("read_gb_s", "GB/s", "read"), ("fma_gflop_s", "GFLOP/s", "float32 FMA"), ("int8_gop_s", "GOP/s", "int8")))
    m = machines[0]
    return lines + ["", f"Measured by `measure.py` on the CPU: {m['name']}, {m['threads']} threads, {m['simd']}; its limits, measured "
                        f"with each seam (median): {limits}.", ""]


def plot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    matplotlib.rcParams["svg.hashsalt"] = "rung"  # the same data gives the same file
    matplotlib.rcParams["font.size"] = 9
    data = json.loads(FILE.read_text())
    write_between(HERE / "README.md", "roofline", table(data))
    # The limits were measured once per seam; the machine is shared, so the median of them is drawn.
    limit = {name: statistics.median(m[name] for m in data["machines"].values()) for name in LIMITS}
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
    axis.set_ylim(min(r["gflop_s"] for r in data["rows"] if r["gflop_s"] > 0) * 0.6, limit["int8_gop_s"] * 2.2)
    for a in (axis.xaxis, axis.yaxis):
        a.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axis.set_xlabel("operations per byte that must come from memory")
    axis.set_ylabel("10$^9$ operations per second")
    axis.grid(True, color="#e4e4e4", linewidth=0.6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    machine = next(iter(data["machines"].values()))
    axis.set_title(f"{machine['name']}, {machine['threads']} threads, {machine['simd']}; filled: the fastest rung of a workload", fontsize=9)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(RESULTS / "roofline.svg", metadata={"Date": None})
    figure.savefig(RESULTS / "roofline.png", dpi=110)
    print("wrote roofline.svg and roofline.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rung", default=str(HERE.parents[1] / "build" / "bin" / "rung"))
    parser.add_argument("--seams", type=lambda s: s.split(","), default=list(LOOKS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    a = parser.parse_args()
    if not a.plot:
        measure(a.rung, a.seams, a.repeats)
    plot()


if __name__ == "__main__":
    main()
