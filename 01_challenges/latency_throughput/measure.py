#!/usr/bin/env python3
"""Measures latency and throughput by batch and by context, and draws them beside the predictions of the rungs of seam
`step_cost`.

usage: 01_challenges/latency_throughput/measure.py sweep NAME MODEL --out FOLDER [--linear NAME]
           [--batches 1,2,4,8,16,32] [--tokens 16]
       01_challenges/latency_throughput/measure.py context NAME MODEL --out FOLDER [--ctx 8192] [--set rope=yarn]
       01_challenges/latency_throughput/measure.py --plot --out FOLDER

`sweep` decodes with `rung bench` at every batch size, times steps with `rung plan --latency --measure`, and records
what the rungs predict for them. FOLDER/sweep.json has one entry per NAME. `context` times the chunks of one long prompt
and the tokens after it, and writes FOLDER/context.json. Both also write FOLDER/tables.md, and draw sweep.svg or
context.svg, and .png (needs matplotlib). --plot only draws. --update is for maintainers: it writes to results/ and to
the tables of the lesson.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, MARKERS, MUTED, UsageError, ask, caption, comma_list, legend_above, lesson_main, plain_ticks, pyplot,
    save_picture, size_ticks, tidy)

COSTS = {"weights": "predicted: weights only", "roofline_kv": "predicted: roofline with KV cache",
         "fitted": "predicted: fitted to measured steps"}


def store(a, file, entry):
    """Writes one line per NAME. A NAME that is measured again replaces its line."""
    entries = a.results.before(file, {})
    entries[a.name] = entry
    a.out.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in entries.items())
    (a.out / file).write_text(f"{{\n{lines}\n}}\n")


def knee(points):
    """The batch size at which the line t = t(1) meets the line through the two largest batches' cost per sequence."""
    (_, first), (n0, t0), (n1, t1) = points[0], points[-2], points[-1]
    return first / ((t1 - t0) / (n1 - n0)) if t1 > t0 else None


def sweep(a):
    linear = ["--set", f"linear={a.linear}"]
    batches = ",".join(map(str, a.batches))
    rows = ask(a.rung, "bench", "-m", a.model, "-p", 0, "-n", a.tokens, "-b", batches, "-r", a.repeats, *linear,
               progress=True)
    plan = ask(a.rung, "plan", "--latency", "-m", a.model, "--measure", "--repeats", a.repeats, "--ctx", a.ctx,
               "--batch", max(a.batches), *linear, progress=True)
    predicted = {}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(plan, file)
        file.flush()
        for cost in ("weights", "roofline", "roofline_kv", "fitted"):
            # A bench of n tokens starts from one token: on average, its steps see n / 2 + 1.
            out = ask(a.rung, "plan", "--latency", "-m", a.model, "--samples", file.name, "--ctx", a.ctx,
                      "--batch", max(a.batches), "--tokens", a.tokens // 2 + 1, "--set", f"step_cost={cost}", *linear,
                      progress=True)
            predicted[cost] = {"knee": out["knee"], "tpot_s": [b["tpot_s"] for b in out["batches"]],
                               "steps_s": [s["predicted_s"] for s in out["samples"]]}
    measured = [{"batch": r["batch"], "tok_s": r["tok_s"], "tpot_s": r["batch"] / r["tok_s"],
                 "tpot_min_s": r["batch"] / r["tok_s_max"], "tpot_max_s": r["batch"] / r["tok_s_min"]} for r in rows]
    entry = {**{key: plan[key] for key in ("model", "linear", "weights_bytes", "limits")},
             "tokens": a.tokens, "repeats": a.repeats, "measured": measured,
             "knee": knee([(m["batch"], m["tpot_s"]) for m in measured]), "predicted": predicted,
             "samples": plan["samples"]}
    store(a, "sweep.json", entry)
    print(f"{a.name}: measured knee {entry['knee']}, fitted {predicted['fitted']['knee']}, "
          f"roofline {predicted['roofline']['knee']}")


def context(a):
    extra = [x for each in a.set for x in ("--set", each)]
    common = ["plan", "--latency", "-m", a.model, "--ctx", a.ctx, "--batch", 1, *extra]
    plan = ask(a.rung, *common, "--measure", "--repeats", a.repeats, progress=True)
    limits = ask(a.rung, *common, "--set", "step_cost=roofline_kv", progress=True)
    kept = ("model", "linear", "limits", "chunk", "samples", "prompts")
    store(a, "context.json", {**{key: plan[key] for key in kept}, "limit_prompts": limits["prompts"]})


def long_prompt(samples, chunk):
    """[(tokens, seconds since the start)] of the prompt that took several chunks, and [(context, seconds)] of single
    tokens."""
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
    lines = ["![Step time and throughput by batch size, measured and predicted](results/sweep.svg)", "",
             "| model, rung of `linear` | batch | tokens/s | ms per step | `weights` | `roofline_kv` | `fitted` |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for name, s in sweeps.items():
        for i, m in enumerate(s["measured"]):
            first = f"{name}, `{s['linear']}`" if i == 0 else ""
            ms = [f"{1e3 * s['predicted'][cost]['tpot_s'][i]:.3g}" for cost in ("weights", "roofline_kv", "fitted")]
            lines.append(f"| {first} | {m['batch']} | {m['tok_s']:.4g} | {1e3 * m['tpot_s']:.3g} | {' | '.join(ms)} |")
        knees = [s["knee"]] + [s["predicted"][cost]["knee"] for cost in ("weights", "roofline_kv", "fitted")]
        told = [f"{k:.3g}" if k else "none" for k in knees]
        lines.append(f"| | | **knee at** | **{told[0]}** | {told[1]} | {told[2]} | {told[3]} |")
    return lines + [""]


def limits_text(entry):
    return f"{entry['limits']['read_gb_s']:.1f} GB/s read"


def draw_sweep(a, plt, sweeps):
    figure, rows = plt.subplots(2, len(sweeps), figsize=(4.4 * len(sweeps), 6.6), squeeze=False, sharex="col")
    for column, (name, s) in enumerate(sweeps.items()):
        batches = [m["batch"] for m in s["measured"]]
        over, under = rows[0][column], rows[1][column]
        for (cost, label), style, color in zip(COSTS.items(), (":", "--", "-"), (COLORS[4], COLORS[1], COLORS[2])):
            tpot = s["predicted"][cost]["tpot_s"]
            look = {"linestyle": style, "color": color, "marker": "", "label": label}
            over.plot(batches, [1e3 * t for t in tpot], **look)
            under.plot(batches, [b / t for b, t in zip(batches, tpot)], **look)
        look = {"fmt": "o", "color": COLORS[0], "zorder": 3, "label": "measured, median, slowest and fastest run"}

        def points(axis, middle, low, high):
            below, above = ([abs(end - m) for m, end in zip(middle, ends)] for ends in (low, high))
            axis.errorbar(batches, middle, [below, above], **look)

        points(over, *([1e3 * m[key] for m in s["measured"]] for key in ("tpot_s", "tpot_min_s", "tpot_max_s")))
        points(under, *([m["batch"] / m[key] for m in s["measured"]] for key in ("tpot_s", "tpot_max_s", "tpot_min_s")))
        for axis in (over, under):
            if s["knee"]:
                axis.axvline(s["knee"], color=MUTED, linewidth=1, linestyle="-.")
            axis.set_yscale("log")
            plain_ticks(axis.yaxis)
            size_ticks(axis, batches)
            tidy(axis)
        if s["knee"]:
            under.text(s["knee"], 1.02, f"measured knee: {s['knee']:.1f} sequences", ha="center", fontsize=8,
                       transform=under.get_xaxis_transform())
        over.set_title(f"{name}, products by rung {s['linear']}")
        under.set_xlabel("batch, sequences per step")
    rows[0][0].set_ylabel("ms per step")
    rows[1][0].set_ylabel("tokens per second, all sequences")
    legend_above(figure, *rows[0][0].get_legend_handles_labels(), side="left", ncols=2)
    runs = "; ".join(f"{name}: {s['repeats']} runs of {s['tokens']} decoded tokens, with {limits_text(s)}"
                     for name, s in sweeps.items())
    caption(figure, f"{runs}. The dash-dotted line is the measured knee. "
                    "All axes are logarithmic. Made by 01_challenges/latency_throughput/measure.py sweep.")
    save_picture(figure, a.out / "sweep")


def context_table(entries):
    lines = ["![Time to first token and time per token by context, measured and fitted](results/context.svg)", "",
             "| model | first token, n tokens of prompt | the square is half of it at | limits would say |",
             "|---|---|---:|---:|"]
    for name, e in entries.items():
        b, d = fit_square(long_prompt(e["samples"], e["chunk"])[0])
        limit_b, limit_d = fit_square([(q["tokens"], q["ttft_s"]) for q in e["limit_prompts"]
                                       if q["tokens"] >= e["chunk"]])
        lines.append(f"| {name}, `{e['linear']}` | {1e6 * b:.3g} µs · n + {1e9 * d:.3g} ns · n² | {b / d:,.0f} | "
                     f"{1e6 * limit_b:.3g} µs · n + {1e9 * limit_d:.3g} ns · n² |")
    return lines + [""]


def draw_context(a, plt, entries):
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 4.6))
    sizes, contexts = set(), set()
    for (name, e), color, marker in zip(entries.items(), COLORS, MARKERS):
        prefill, decode = long_prompt(e["samples"], e["chunk"])
        b, d = fit_square(prefill)
        n = [p[0] for p in prefill]
        sizes.update(n)
        contexts.update(c for c, _ in decode)
        left.plot(n, [p[1] for p in prefill], linestyle="none", marker=marker, color=color, label=f"{name}: measured")
        left.plot(n, [b * x + d * x * x for x in n], color=color, marker="",
                  label=f"fit: {1e6 * b:.3g} µs · n + {1e9 * d:.3g} ns · n²")
        left.plot(n, [b * x for x in n], color=color, linestyle=":", marker="",
                  label=f"its linear part (half of it at n = {b / d:,.0f})")
        right.plot([c for c, _ in decode], [1e3 * t for _, t in decode], linestyle="none", marker=marker, color=color,
                   label=f"{name}: measured")
        right.plot([p["tokens"] for p in e["prompts"]], [1e3 * p["tpot_s"] for p in e["prompts"]], color=color,
                   marker="", label="predicted by the rung fitted")
    most = 1.1 * max(sizes)
    size_ticks(left, [t for t in (512, 1024, 2048, 4096, 8192, 16384) if t < most])
    size_ticks(right, [t for t in (1, 8, 64, 512, 4096, 32768) if t < most])
    left.set_yscale("log")
    plain_ticks(left.yaxis)
    right.set_ylim(bottom=0)
    left.set_xlabel("prompt, tokens (n)")
    left.set_ylabel("time to first token, seconds")
    right.set_xlabel("context, tokens")
    right.set_ylabel("ms per token, one sequence")
    for axis in (left, right):
        tidy(axis)
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0))
    first = next(iter(entries.values()))
    caption(figure, f"Rung {first['linear']} for the products, with {limits_text(first)} during the measurement. "
                    "Made by 01_challenges/latency_throughput/measure.py context.")
    save_picture(figure, a.out / "context")


def report(a):
    sweeps, entries = a.results.read("sweep.json"), a.results.read("context.json")
    if sweeps:
        a.results.write_table("sweep", sweep_table(sweeps))
    if entries:
        a.results.write_table("context", context_table(entries))
    plt = pyplot()
    if sweeps:
        draw_sweep(a, plt, sweeps)
    if entries:
        draw_context(a, plt, entries)


def measure(a):
    if a.model is None:
        raise UsageError("give sweep or context, a NAME and a MODEL; or --plot")
    a.ctx = a.ctx or (1024 if a.job == "sweep" else 8192)
    (sweep if a.job == "sweep" else context)(a)


def options(parser):
    parser.add_argument("job", nargs="?", choices=["sweep", "context"])
    parser.add_argument("name", nargs="?", help="the name of the entry in JSON")
    parser.add_argument("model", nargs="?", help="a GGUF file, or tiny")
    parser.add_argument("--ctx", type=int, help="default: 1024 for sweep, 8192 for context")
    parser.add_argument("--linear", default="auto", help="for sweep; default: auto")
    parser.add_argument("--batches", type=comma_list(int), default=[1, 2, 4, 8, 16, 32], help="for sweep")
    parser.add_argument("--tokens", type=int, default=16, help="for sweep; default: 16")
    parser.add_argument("--set", action="append", default=[], help="for context: SEAM=RUNG")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, repeats=3)
