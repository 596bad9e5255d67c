#!/usr/bin/env python3
"""Measures latency and throughput by batch and by context, and draws them beside the predictions of the rungs of seam
`step_cost`.

usage: 01_challenges/latency_throughput/measure.py --out FOLDER sweep NAME MODEL [--linear NAME] [--batches 1,2,4,8]
       01_challenges/latency_throughput/measure.py --out FOLDER context NAME MODEL [--ctx 8192] [--set rope=yarn]
       01_challenges/latency_throughput/measure.py --out FOLDER plot

`sweep` decodes with `rung bench` at every batch size, times steps with `rung plan --latency --measure`, and records
what the rungs predict for them; results/sweep.json has one entry per NAME. `context` times the chunks of one long
prompt and the tokens after it, and writes results/context.json. `plot` draws results/sweep.svg and context.svg, and
.png (needs matplotlib), and fits the O(n^2) term.
With --update instead of --out FOLDER, it writes the results and the lesson's tables of this repository.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    Results, ask, comma_list, lesson_main, pyplot, read_json, save_picture, tidy, write_between)
from lessons.pictures import COLORS, INK, MARKERS, MUTED, caption  # noqa: E402

RESULTS = Results(__file__)


def store(file, name, entry):
    """One line per NAME; a NAME that is measured again replaces its line."""
    path = RESULTS / file
    entries = read_json(path, {})
    entries[name] = entry
    path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in entries.items()) + "\n}\n")


def knee(points):
    """The batch size at which the line t = t(1) meets the line through the two largest batches' cost per sequence."""
    (_, first), (n0, t0), (n1, t1) = points[0], points[-2], points[-1]
    return first / ((t1 - t0) / (n1 - n0)) if t1 > t0 else None


def sweep(a):
    linear = ["--set", f"linear={a.linear}"]
    batches = ",".join(map(str, a.batches))
    rows = ask(a.rung, "bench", "-m", a.model, "-p", 0, "-n", a.tokens, "-b", batches, "-r", a.repeats, *linear,
               progress=True)
    plan = ask(a.rung, "plan", "--latency", "-m", a.model, "--measure", "--repeats", a.repeats, "--ctx", a.ctx, "--batch", max(a.batches),
               *linear, progress=True)
    predicted = {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        for cost in ("weights", "roofline", "roofline_kv", "fitted"):
            # A bench of n tokens starts from one token: on average, its steps see n / 2 + 1.
            out = ask(a.rung, "plan", "--latency", "-m", a.model, "--samples", file.name, "--ctx", a.ctx, "--batch", max(a.batches),
                      "--tokens", a.tokens // 2 + 1, "--set", f"step_cost={cost}", *linear, progress=True)
            predicted[cost] = {"knee": out["knee"], "tpot_s": [b["tpot_s"] for b in out["batches"]],
                               "steps_s": [s["predicted_s"] for s in out["samples"]]}
    measured = [{"batch": r["batch"], "tok_s": r["tok_s"], "tpot_s": r["batch"] / r["tok_s"],
                 "tpot_min_s": r["batch"] / r["tok_s_max"], "tpot_max_s": r["batch"] / r["tok_s_min"]} for r in rows]
    entry = {"model": plan["model"], "linear": plan["linear"], "weights_bytes": plan["weights_bytes"], "limits": plan["limits"],
             "tokens": a.tokens, "repeats": a.repeats, "measured": measured,
             "knee": knee([(m["batch"], m["tpot_s"]) for m in measured]), "predicted": predicted, "samples": plan["samples"]}
    store("sweep.json", a.name, entry)
    print(f"{a.name}: measured knee {entry['knee']}, fitted {predicted['fitted']['knee']}, roofline {predicted['roofline']['knee']}")


def context(a):
    extra = [x for each in a.set for x in ("--set", each)]
    common = ["plan", "--latency", "-m", a.model, "--ctx", a.ctx, "--batch", 1, *extra]
    plan = ask(a.rung, *common, "--measure", "--repeats", a.repeats, progress=True)
    limits = ask(a.rung, *common, "--set", "step_cost=roofline_kv", progress=True)
    store("context.json", a.name, {"model": plan["model"], "linear": plan["linear"], "limits": plan["limits"], "chunk": plan["chunk"],
                                   "samples": plan["samples"], "prompts": plan["prompts"], "limit_prompts": limits["prompts"]})


def long_prompt(samples, chunk):
    """[(tokens, seconds since the start)] of the prompt that took several chunks, and [(context, seconds)] of single tokens."""
    prefill, decode, total = [], [], 0.0
    for s in samples:
        if len(s["batch"]) != 1 or s["batch"][0][0] != 1:
            continue
        _, count, length, _ = s["batch"][0]
        if count == 1:
            decode.append((length, s["seconds"]))
        elif count == chunk and length == chunk:
            total = s["seconds"]
            prefill = [(length, total)]
        elif prefill and length == prefill[-1][0] + count:
            total += s["seconds"]
            prefill.append((length, total))
    return prefill, sorted(decode)


def fit_square(points):
    """b and d of seconds = b * n + d * n^2, least squares relative to the measured seconds."""
    rows = [(n / t, n * n / t) for n, t in points]
    a11, a12, a22 = (sum(x * y for x, y in ((r[i], r[j]) for r in rows)) for i, j in ((0, 0), (0, 1), (1, 1)))
    b1, b2 = sum(r[0] for r in rows), sum(r[1] for r in rows)
    det = a11 * a22 - a12 * a12
    return (b1 * a22 - b2 * a12) / det, (a11 * b2 - a12 * b1) / det


def sweep_table(sweeps):
    lines = ["![latency and throughput against the batch](results/sweep.svg)", "", "| model, rung of `linear` | batch | tokens/s | ms per step | `weights` | `roofline_kv` | `fitted` |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, s in sweeps.items():
        for i, m in enumerate(s["measured"]):
            first = f"{name}, `{s['linear']}`" if i == 0 else ""
            ms = [f"{1e3 * s['predicted'][cost]['tpot_s'][i]:.3g}" for cost in ("weights", "roofline_kv", "fitted")]
            lines.append(f"| {first} | {m['batch']} | {m['tok_s']:.4g} | {1e3 * m['tpot_s']:.3g} | {' | '.join(ms)} |")
        knees = [s["knee"]] + [s["predicted"][cost]["knee"] for cost in ("weights", "roofline_kv", "fitted")]
        told = [f"{k:.3g}" if k else "none" for k in knees]
        lines.append(f"| | | **knee at** | **{told[0]}** | {told[1]} | {told[2]} | {told[3]} |")
    return lines + [""]


def report(_):
    plt = pyplot()
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    plain = FuncFormatter(lambda v, _: f"{v:g}")

    def axes_of(axis, ticks, xlabel, ylabel, logy=True):
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks)
        axis.xaxis.set_major_formatter(plain)
        axis.xaxis.set_minor_locator(NullLocator())
        if logy:
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_minor_locator(NullLocator())
        else:
            axis.set_ylim(bottom=0)
        axis.yaxis.set_major_formatter(plain)
        axis.set_xlabel(xlabel)
        axis.set_ylabel(ylabel)
        tidy(axis)

    if (RESULTS / "sweep.json").is_file():
        sweeps = read_json(RESULTS / "sweep.json")
        write_between(RESULTS.document(), "sweep", sweep_table(sweeps))
        figure, rows = plt.subplots(2, len(sweeps), figsize=(3.9 * len(sweeps), 6.2), squeeze=False, sharex="col", layout="constrained")
        for column, ((name, s), color) in enumerate(zip(sweeps.items(), COLORS)):
            batches = [m["batch"] for m in s["measured"]]
            over, under = rows[0][column], rows[1][column]
            for cost, style, grey in (("weights", ":", MUTED), ("roofline_kv", "--", INK), ("fitted", "-", color)):
                tpot = s["predicted"][cost]["tpot_s"]
                over.plot(batches, [1e3 * t for t in tpot], linestyle=style, color=grey, linewidth=1.2, marker="none", label=cost)
                under.plot(batches, [b / t for b, t in zip(batches, tpot)], linestyle=style, color=grey, linewidth=1.2, marker="none")
            over.errorbar(batches, [1e3 * m["tpot_s"] for m in s["measured"]], linestyle="none", marker="o", markersize=5, color=color,
                          label="measured", elinewidth=0.9,
                          yerr=[[1e3 * (m["tpot_s"] - m["tpot_min_s"]) for m in s["measured"]],
                                [1e3 * (m["tpot_max_s"] - m["tpot_s"]) for m in s["measured"]]])
            under.plot(batches, [m["tok_s"] for m in s["measured"]], linestyle="none", marker="o", markersize=5, color=color)
            for axis in (over, under):
                if s["knee"]:
                    axis.axvline(s["knee"], color=color, linewidth=0.8, linestyle="-.")
            knee_text = f"knee at {s['knee']:.1f}" if s["knee"] else "no knee"
            over.set_title(f"{name}, linear {s['linear']}: {knee_text}", fontsize=9)
            axes_of(over, batches, "", "time of a step, ms" if column == 0 else "")
            axes_of(under, batches, "sequences at once", "tokens per second of all sequences" if column == 0 else "")
        handles, labels = rows[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
        caption(figure, "Dots: median of the repetitions, with their range; dash-dotted: the measured knee. "
                        "01_challenges/latency_throughput/measure.py sweep")
        save_picture(figure, RESULTS / "sweep")

    if (RESULTS / "context.json").is_file():
        entries = read_json(RESULTS / "context.json")
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.3), layout="constrained")
        ticks = set()
        lines = ["![time to first token and time per token against the context](results/context.svg)", "",
                 "| model | first token, n tokens of prompt | the square is half of it at | limits would say |", "|---|---|---:|---:|"]
        for i, ((name, e), color) in enumerate(zip(entries.items(), COLORS)):
            prefill, decode = long_prompt(e["samples"], e["chunk"])
            b, d = fit_square(prefill)
            n = [p[0] for p in prefill]
            ticks.update(n)
            left.plot(n, [p[1] for p in prefill], linestyle="none", marker=MARKERS[i], markersize=4, color=color, label=f"{name}: measured")
            left.plot(n, [b * x + d * x * x for x in n], color=color, linewidth=1.2, marker="none",
                      label=f"{1e6 * b:.3g} µs n + {1e9 * d:.3g} ns n²; equal at {b / d:,.0f}")
            left.plot(n, [b * x for x in n], color=color, linewidth=0.9, linestyle=":", marker="none")
            right.plot([c for c, _ in decode], [1e3 * t for _, t in decode], linestyle="none", marker=MARKERS[i], markersize=4, color=color,
                       label=f"{name}: measured")
            right.plot([p["tokens"] for p in e["prompts"]], [1e3 * p["tpot_s"] for p in e["prompts"]], color=color, linewidth=1.2, marker="none",
                       label=f"{name}: fitted")
            limit_b, limit_d = fit_square([(q["tokens"], q["ttft_s"]) for q in e["limit_prompts"] if q["tokens"] >= e["chunk"]])
            lines.append(f"| {name}, `{e['linear']}` | {1e6 * b:.3g} µs · n + {1e9 * d:.3g} ns · n² | {b / d:,.0f} | "
                         f"{1e6 * limit_b:.3g} µs · n + {1e9 * limit_d:.3g} ns · n² |")
        write_between(RESULTS.document(), "context", lines + [""])
        ticks = max(ticks)
        axes_of(left, [t for t in (512, 1024, 2048, 4096, 8192, 16384) if t < ticks * 1.1], "prompt, tokens", "time to first token, seconds")
        axes_of(right, [t for t in (1, 8, 64, 512, 4096, 32768) if t < ticks * 1.1], "context, tokens", "time per token of one sequence, ms", logy=False)
        left.legend(fontsize=7.5)
        right.legend(fontsize=7.5)
        caption(figure, "Dotted: the linear term alone. 01_challenges/latency_throughput/measure.py context")
        save_picture(figure, RESULTS / "context")


def measure(a):
    if a.job != "plot":
        (sweep if a.job == "sweep" else context)(a)


def options(parser):
    jobs = parser.add_subparsers(dest="job", required=True)
    for job in ("sweep", "context"):
        p = jobs.add_parser(job)
        p.add_argument("name")
        p.add_argument("model")
        p.add_argument("--repeats", type=int, default=3)
        p.add_argument("--ctx", type=int, default=1024 if job == "sweep" else 8192)
        if job == "sweep":
            p.add_argument("--linear", default="auto")
            p.add_argument("--batches", type=comma_list(int), default=[1, 2, 4, 8, 16, 32])
            p.add_argument("--tokens", type=int, default=16)
        else:
            p.add_argument("--set", action="append", default=[])
    jobs.add_parser("plot")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, results=RESULTS, options=options, redraw=None)
