#!/usr/bin/env python3
"""The schedulers of this folder on the engine: throughput, and how long everybody waits.

usage: 03_techniques/batching/measure.py [--model tiny] [--rung build/bin/rung] [--repeats 3]
       03_techniques/batching/measure.py --large tinyllama-1.1b-q4_0.gguf
       03_techniques/batching/measure.py --plot

Two loads. "mixed": more requests at once than run together, short and long answers. "long prompts": a steady
stream of short requests that decode, while prompts of 900 tokens come in between. The runs of all schedulers are interleaved; the median
by throughput of each counts. --large measures both, with fewer requests, with a model that waits for memory, and leaves the
other rows: rung synth --shape tinyllama-1.1b --type q4_0 makes one. Writes results/schedulers.json, the tables between the marks of README.md, and
results/schedulers.svg and .png (needs matplotlib).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "docs"))
from lesson_marks import write_between  # noqa: E402
from serve_runs import interleaved, machine, middle, save  # noqa: E402

RESULTS = HERE / "results"
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
    """A row per scheduler: the run in the middle by value. arguments: of a scheduler."""
    runs = interleaved(a.rung, model, {s: [*arguments(s), "--scheduler", s] for s in schedulers}, a.repeats)
    return [{"load": load, "scheduler": s, **more, **middle(runs[s], value)} for s in schedulers]


def speed(run):
    return run["output_tok_s"]


def measure(a, folder):
    rows = rows_of(a, a.model, "mixed", lambda _: mixed(folder, 96, 300), speed)
    # Requests come at a rate here, and a scheduler that cannot keep up only shows its queue. Whole prompts fit into a step, so
    # that continuous does not cut them; chunked gets short steps.
    stream = [*trace(folder, "stream", [(900, 4) if i % 6 == 5 else (16, 100) for i in range(96)]), "--rate", 40]
    return rows + rows_of(a, a.model, "long prompts", lambda s: [*stream, "--max-step-tokens", 64 if s == "chunked" else 1024],
                          lambda run: run["itl_s"]["p99"], ["continuous", "chunked"])


def measure_large(a, folder):
    """Both loads with fewer requests."""
    about = {"on": machine(a.rung, "scheduler"), "rounds": a.repeats}
    rows = []
    if a.load != "long prompts":
        rows += rows_of(a, a.large, "mixed, large", lambda _: [*mixed(folder, 48, 150), *PACKED], speed, **about)
    if a.load != "mixed":
        stream = [*trace(folder, "stream", [(600, 4) if i % 6 == 5 else (16, 40) for i in range(24)]), "--rate", 1, *PACKED]
        rows += rows_of(a, a.large, "long prompts, large", lambda s: [*stream, "--max-step-tokens", 32 if s == "chunked" else 1024],
                        lambda run: run["itl_s"]["p99"], ["continuous", "chunked"], **about)
    return rows


def measure_own(a):
    """What is neither the model's nor the sampler's of the steps of 32 sequences that decode."""
    arguments = ["--requests", 32, "--prompt-tokens", 4, "--output-tokens", 200, "--max-sequences", 32]
    runs = interleaved(a.rung, a.model, {"own": arguments}, a.repeats, lambda r: f"{100 * r['own_share']:.2f} %")["own"]
    return {key: middle(runs, lambda r: r["own_share"])[key] for key in ("own_share", "schedule_share", "steps", "duration_s")}


def what_if(a, folder):
    """The large load under a model of the step: so many milliseconds for a step, and so many for each of its tokens."""
    step, token = a.step
    program = pathlib.Path(a.rung).with_name("batching_what_if")
    rows = []
    for sequences in (16, 64, 256):
        path = mixed(folder, 3 * sequences, 150)[1]
        out = subprocess.run([program, path, str(sequences), "256" if sequences < 256 else "1024", f"{step:.3f}", f"{token:.3f}"],
                             check=True, capture_output=True, text=True).stdout
        rows.append(json.loads(out))
    return rows


def what_if_table(data):
    names = list(data["what_if"][0]["rungs"])
    lines = ["| sequences at once | " + " | ".join(f"`{n}`" for n in names) + " |", "|---:|" + "---:|" * len(names)]
    for w in data["what_if"]:
        first = w["rungs"][names[0]]["output_tok_s"]
        cells = [f"{w['rungs'][n]['output_tok_s']:.0f}, {w['rungs'][n]['output_tok_s'] / first:.2f}×" for n in names]
        lines.append(f"| {w['sequences']} | " + " | ".join(cells) + " |")
    w = data["what_if"][0]
    return lines + ["", f"Output tokens per second, and against `{names[0]}`, where a step takes {w['step_ms']:.1f} ms and {w['token_ms']:.2f} ms for each token.", ""]


def own_text(data):
    o = data["own"]
    return [f"In the engine: {o['steps']} steps of 32 sequences that decode with `tiny` spend {100 * o['own_share']:.1f} % of their time on everything that is "
            f"neither the model nor the sampler (the scheduler, the batch, stops, text, events), {100 * o['schedule_share']:.2f} % on scheduling alone.", ""]


def table(data, load):
    rows = [r for r in data["rows"] if r["load"] == load]
    lines = ["| scheduler | output tokens/s | against the first | TTFT median | ITL median | ITL P99 | steps |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for r in rows:
        lines.append(f"| `{r['scheduler']}` | {r['output_tok_s']:.0f} | {r['output_tok_s'] / rows[0]['output_tok_s']:.2f}× | "
                     f"{1e3 * r['ttft_s']['p50']:.0f} ms | {1e3 * r['itl_s']['p50']:.1f} ms | {1e3 * r['itl_s']['p99']:.1f} ms | "
                     f"{r['steps']} |")
    return lines


def write_tables(data):
    for load in ("mixed", "mixed, large", "long prompts", "long prompts, large"):
        write_between(HERE / "README.md", f"serve: results/schedulers.json, {load}", table(data, load))
    write_between(HERE / "README.md", "what if: results/schedulers.json", what_if_table(data))
    write_between(HERE / "README.md", "own: results/schedulers.json", own_text(data))


def plot(data):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "rung"
    matplotlib.rcParams["font.size"] = 9
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.0))
    mixed = [r for r in data["rows"] if r["load"] == "mixed"]
    axes[0].barh([r["scheduler"] for r in mixed], [r["output_tok_s"] for r in mixed], color="#1f6f8b")
    axes[0].invert_yaxis()
    axes[0].set_xlabel("output tokens per second, mixed lengths")
    stream = [r for r in data["rows"] if r["load"] == "long prompts"]
    for i, (key, color) in enumerate((("p50", "#9dbfca"), ("p90", "#5a94a8"), ("p99", "#1f6f8b"))):
        axes[1].barh([j + 0.25 * (i - 1) for j in range(len(stream))], [1e3 * r["itl_s"][key] for r in stream], height=0.23,
                     color=color, label=key)
    axes[1].set_yticks(range(len(stream)), [r["scheduler"] for r in stream])
    axes[1].invert_yaxis()
    axes[1].set_xlabel("ms between tokens, while long prompts arrive")
    axes[1].legend(frameon=False)
    for axis in axes:
        axis.grid(True, axis="x", color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(RESULTS / "schedulers.svg", metadata={"Date": None})
    figure.savefig(RESULTS / "schedulers.png", dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--rung", default=str(HERE.parents[1] / "build" / "bin" / "rung"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", help="a model of more than a hundred megabytes")
    parser.add_argument("--load", choices=["mixed", "long prompts"], help="with --large: only this one")
    parser.add_argument("--step", default="12.525,3.256", type=lambda s: [float(ms) for ms in s.split(",")],
                        help="STEP,TOKEN: milliseconds of a step and of each token in it, for batching_what_if; default: those of TinyLlama's shape "
                             "in the lesson engine_comparison")
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    a = parser.parse_args()
    file = RESULTS / "schedulers.json"
    data = json.loads(file.read_text()) if file.exists() else {"rows": []}
    with tempfile.TemporaryDirectory() as folder:
        if a.large:
            new = measure_large(a, pathlib.Path(folder))
            data["rows"] = [r for r in data["rows"] if r["load"] not in {n["load"] for n in new}] + new
            save(file, **data)
        elif not a.plot:
            large = [r for r in data["rows"] if r["load"].endswith(", large")]
            data = {"model": a.model, "machine": machine(a.rung, "scheduler"), "own": measure_own(a), "what_if": what_if(a, pathlib.Path(folder)),
                    "rows": measure(a, pathlib.Path(folder)) + large}
            save(file, **data)
    write_tables(data)
    plot(data)


if __name__ == "__main__":
    main()
