#!/usr/bin/env python3
"""The schedulers of this folder in the engine: throughput, and how long requests wait.

usage: 03_techniques/batching/measure.py --out FOLDER [--model tiny] [--rung build/bin/rung] [--repeats 3]
       03_techniques/batching/measure.py --out FOLDER --large tinyllama-1.1b-q4_0.gguf
       03_techniques/batching/measure.py --out FOLDER --plot

There are two loads. "mixed" has more requests at once than can run together, with short and long answers. "long
prompts" is a steady stream of short requests that decode, with prompts of 900 tokens in between. The runs of all
schedulers are interleaved, and the run with the median throughput counts. --large measures both loads with fewer
requests and a model whose speed memory limits (`rung synth --shape tinyllama-1.1b --type q4_0` makes one), and leaves
the other rows. The script writes schedulers.json, tables.md, and schedulers.svg and .png (needs matplotlib) to FOLDER.
--plot only draws. --update is for maintainers: it writes to results/ and to the tables between the marks of README.md.
"""

import json
import sys
import tempfile
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, HATCHES, caption, comma_list, interleaved, lesson_main, machine, machine_text, middle, pyplot, run,
    save_picture, save_rows, tidy)

PACKED = ["--linear", "packed,auto"]
SCHEDULERS = ["one_at_a_time", "static_batch", "dynamic_batch", "continuous", "chunked"]


def trace(folder, name, requests):
    """A file of (prompt, output) for rung bench-serve --trace."""
    lines = ["arrival,prompt,output"] + [f"{i},{prompt},{output}" for i, (prompt, output) in enumerate(requests)]
    file = folder / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n")
    return ["--trace", file, "--requests", len(requests), "--max-sequences", 16]


def mixed(folder, count, longest):
    lengths = [(8 + 7 * i % 41, longest if i % 8 == 3 else 8 + 5 * i % 31) for i in range(count)]
    return [*trace(folder, "mixed", lengths), "--max-step-tokens", 256]


def rows_of(a, model, load, arguments, value, schedulers=SCHEDULERS, **more):
    """A row per scheduler: the run with the median value(run). arguments(scheduler): those of `rung bench-serve`."""
    runs = interleaved(a.rung, model, {s: [*arguments(s), "--scheduler", s] for s in schedulers}, a.repeats)
    return [{"load": load, "scheduler": s, **more, **middle(runs[s], value)} for s in schedulers]


def speed(run):
    return run["output_tok_s"]


def measure_small(a, folder):
    rows = rows_of(a, a.model, "mixed", lambda _: mixed(folder, 96, 300), speed)
    # These requests arrive at a fixed rate. The figures of a scheduler that cannot keep up would only describe its
    # queue. Whole prompts fit into a step of `continuous`, so that it does not cut them; `chunked` gets short steps.
    stream = [*trace(folder, "stream", [(900, 4) if i % 6 == 5 else (16, 100) for i in range(96)]), "--rate", 40]
    return rows + rows_of(a, a.model, "long prompts",
                          lambda s: [*stream, "--max-step-tokens", 64 if s == "chunked" else 1024],
                          lambda run: run["itl_s"]["p99"], ["continuous", "chunked"])


def measure_large(a, folder):
    """Both loads with fewer requests."""
    about = {"on": machine(a.rung, "scheduler"), "rounds": a.repeats}
    rows = []
    if a.load != "long prompts":
        rows += rows_of(a, a.large, "mixed, large", lambda _: [*mixed(folder, 48, 150), *PACKED], speed, **about)
    if a.load != "mixed":
        requests = [(600, 4) if i % 6 == 5 else (16, 40) for i in range(24)]
        stream = [*trace(folder, "stream", requests), "--rate", 1, *PACKED]
        rows += rows_of(a, a.large, "long prompts, large",
                        lambda s: [*stream, "--max-step-tokens", 32 if s == "chunked" else 1024],
                        lambda run: run["itl_s"]["p99"], ["continuous", "chunked"], **about)
    return rows


def measure_own(a):
    """The share of a decode step of 32 sequences that is neither the model's nor the sampler's."""
    arguments = ["--requests", 32, "--prompt-tokens", 4, "--output-tokens", 200, "--max-sequences", 32]
    runs = interleaved(a.rung, a.model, {"own": arguments}, a.repeats, lambda r: f"{100 * r['own_share']:.2f} %")["own"]
    run = middle(runs, lambda r: r["own_share"])
    return {key: run[key] for key in ("own_share", "schedule_share", "steps", "duration_s")}


def what_if(a, folder):
    """The large load under a model of the step: a time per step, and a time for each of its tokens, in milliseconds."""
    step, token = a.step
    program = Path(a.rung).with_name("batching_what_if")
    rows = []
    for sequences in (16, 64, 256):
        path = mixed(folder, 3 * sequences, 150)[1]
        done = run(program, path, sequences, "256" if sequences < 256 else "1024", f"{step:.3f}", f"{token:.3f}")
        rows.append(json.loads(done.stdout))
    return rows


def what_if_table(data):
    names = list(data["what_if"][0]["rungs"])
    lines = ["| sequences at once | " + " | ".join(f"`{n}`" for n in names) + " |", "|---:|" + "---:|" * len(names)]
    for w in data["what_if"]:
        first = w["rungs"][names[0]]["output_tok_s"]
        cells = [f"{w['rungs'][n]['output_tok_s']:.0f}, {w['rungs'][n]['output_tok_s'] / first:.2f}×" for n in names]
        lines.append(f"| {w['sequences']} | " + " | ".join(cells) + " |")
    w = data["what_if"][0]
    text = (f"Each cell has the output tokens per second, and the factor compared with `{names[0]}`. A step takes "
            f"{w['step_ms']:.1f} ms, and {w['token_ms']:.2f} ms more for each of its tokens.")
    return lines + ["", *textwrap.wrap(text, 120), ""]


def own_text(data):
    o = data["own"]
    text = (f"In {o['steps']} steps of 32 sequences that decode with `tiny`, the engine spends "
            f"{100 * o['own_share']:.1f}% of the time on everything except the model and the sampler (scheduling, "
            "building the batch, stop conditions, text and events). Scheduling alone takes "
            f"{100 * o['schedule_share']:.2f}%.")
    return [*textwrap.wrap(text, 120), ""]


def table(data, load):
    rows = [r for r in data["rows"] if r["load"] == load]
    lines = ["| scheduler | output tokens/s | against the first | TTFT median | ITL median | ITL P99 | steps |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for r in rows:
        factor, itl = r["output_tok_s"] / rows[0]["output_tok_s"], r["itl_s"]
        lines.append(f"| `{r['scheduler']}` | {r['output_tok_s']:.0f} | {factor:.2f}× | "
                     f"{1e3 * r['ttft_s']['p50']:.0f} ms | "
                     f"{1e3 * itl['p50']:.1f} ms | {1e3 * itl['p99']:.1f} ms | {r['steps']} |")
    return lines


def write_tables(data, results):
    for load in ("mixed", "mixed, large", "long prompts", "long prompts, large"):
        if any(r["load"] == load for r in data["rows"]):
            results.write_table(f"serve: results/schedulers.json, {load}", table(data, load))
    if "own" in data:  # a run of --large alone has neither
        results.write_table("what if: results/schedulers.json", what_if_table(data))
        results.write_table("own: results/schedulers.json", own_text(data))


def plot(data, folder):
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(8.8, 3.6))
    mixed = [r for r in data["rows"] if r["load"] == "mixed"]
    bars = axes[0].barh([r["scheduler"] for r in mixed], [r["output_tok_s"] for r in mixed], color=COLORS[0])
    factors = [r["output_tok_s"] / mixed[0]["output_tok_s"] for r in mixed]
    axes[0].bar_label(bars, [f"{factor:.1f}×" for factor in factors], padding=3, fontsize=8)
    axes[0].set_xlim(right=1.12 * max(r["output_tok_s"] for r in mixed))
    axes[0].invert_yaxis()
    axes[0].set_title("Requests of mixed lengths\n")
    axes[0].set_xlabel("throughput, output tokens per second")
    stream = [r for r in data["rows"] if r["load"] == "long prompts"]
    for i, (key, name) in enumerate((("p50", "median"), ("p90", "P90"), ("p99", "P99"))):
        bars = axes[1].barh([j + 0.27 * (i - 1) for j in range(len(stream))], [1e3 * r["itl_s"][key] for r in stream],
                            height=0.24, color=COLORS[i], hatch=HATCHES[i], label=name)
        axes[1].bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes[1].set_yticks(range(len(stream)), [r["scheduler"] for r in stream])
    axes[1].set_xlim(right=1.12 * max(1e3 * r["itl_s"]["p99"] for r in stream))
    axes[1].invert_yaxis()
    axes[1].set_title("Long prompts among short requests\n")
    axes[1].set_xlabel("time between two tokens of a request, ms")
    axes[1].legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 0.98), borderaxespad=0.2)
    for axis in axes:
        tidy(axis, "x")
    caption(figure, f"Model {data['model']}, {machine_text(data['machine'])}. Bars on the left show the median run and "
                    "its factor compared with one_at_a_time. Made by 03_techniques/batching/measure.py.")
    save_picture(figure, folder / "schedulers")


def measure(a):
    data = a.results.before("schedulers.json", {"rows": []})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if a.large:
            new = measure_large(a, folder)
            data["rows"] = [r for r in data["rows"] if r["load"] not in {n["load"] for n in new}] + new
        else:
            large = [r for r in data["rows"] if r["load"].endswith(", large")]
            data = {"model": a.model, "machine": machine(a.rung, "scheduler"), "own": measure_own(a),
                    "what_if": what_if(a, folder), "rows": measure_small(a, folder) + large}
    save_rows(a.out / "schedulers.json", **data)


def report(a):
    data = a.results.read("schedulers.json")
    write_tables(data, a.results)
    if "machine" in data:
        plot(data, a.out)


def options(parser):
    parser.add_argument("--large", help="a model of more than a hundred megabytes")
    parser.add_argument("--load", choices=["mixed", "long prompts"], help="with --large: only this load")
    parser.add_argument("--step", default="12.525,3.256", type=comma_list(float),
                        help="STEP,TOKEN: the milliseconds of a step and of each token in it, for batching_what_if; "
                             "default: those of TinyLlama's shape in the lesson engine_comparison")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options, model="tiny", repeats=3)
