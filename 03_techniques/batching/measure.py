#!/usr/bin/env python3
"""The schedulers of this folder on the engine: throughput, and how long everybody waits.

usage: 03_techniques/batching/measure.py [--model tiny] [--rung build/bin/rung] [--repeats 3]
       03_techniques/batching/measure.py --large tinyllama-1.1b-q4_0.gguf
       03_techniques/batching/measure.py --plot

Two loads. "mixed": more requests at once than run together, short and long answers. "long prompts": a steady
stream of short requests that decode, while prompts of 900 tokens come in between. The runs of all schedulers are interleaved; the median
by throughput of each counts. --large measures "mixed" alone, half as long, with a model that waits for memory, and leaves the
other rows: rung synth --shape tinyllama-1.1b --type q4_0 makes one. Writes results/schedulers.json, the tables between the marks of README.md, and
results/schedulers.svg and .png (needs matplotlib).
"""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
SCHEDULERS = ["one_at_a_time", "static_batch", "dynamic_batch", "continuous", "chunked"]


def loads(folder):
    """name -> arguments of rung bench-serve"""
    stream = folder / "stream.csv"
    lines = ["arrival,prompt,output"]
    for i in range(48):
        lines.append(f"{i},900,4" if i % 6 == 5 else f"{i},16,100")
    stream.write_text("\n".join(lines) + "\n")
    mixed = folder / "mixed.csv"
    lines = ["arrival,prompt,output"]
    for i in range(96):
        lines.append(f"{i},{8 + 7 * i % 41},{300 if i % 8 == 3 else 8 + 5 * i % 31}")
    mixed.write_text("\n".join(lines) + "\n")
    return {"mixed": ["--trace", str(mixed), "--requests", "96", "--max-sequences", "16", "--max-step-tokens", "256"],
            # Whole prompts fit into a step, so that continuous does not cut them; chunked gets short steps.
            "long prompts": ["--trace", str(stream), "--requests", "48", "--rate", "12", "--max-sequences", "16"]}


def measure_large(a):
    """-> rows of the load "mixed, large": the same shape of load with fewer requests"""
    with tempfile.TemporaryDirectory() as folder:
        trace = pathlib.Path(folder) / "mixed.csv"
        lines = ["arrival,prompt,output"] + [f"{i},{8 + 7 * i % 41},{150 if i % 8 == 3 else 8 + 5 * i % 31}" for i in range(48)]
        trace.write_text("\n".join(lines) + "\n")
        results = {s: [] for s in SCHEDULERS}
        for _ in range(a.repeats):
            for scheduler, runs in results.items():
                out = subprocess.run([a.rung, "bench-serve", "-m", a.large, "--trace", str(trace), "--requests", "48", "--max-sequences", "16",
                                      "--max-step-tokens", "256", "--linear", "packed,auto", "--scheduler", scheduler, "--json"],
                                     check=True, capture_output=True, text=True).stdout
                runs.append(json.loads(out))
                print("large", scheduler, f"{runs[-1]['output_tok_s']:.1f} tokens/s", flush=True)
    machine = json.loads(subprocess.run([a.rung, "ladder", "scheduler", "--measure", "--json"], check=True, capture_output=True,
                                        text=True).stdout)["machine"]
    rows = []
    for scheduler, runs in results.items():
        runs.sort(key=lambda r: r["output_tok_s"])
        rows.append({"load": "mixed, large", "scheduler": scheduler, "on": machine, "rounds": len(runs), **runs[len(runs) // 2]})
    return rows


def write(data):
    lines = ",\n".join(json.dumps(row) for row in data["rows"])
    (RESULTS / "schedulers.json").write_text(
        f'{{"model": {json.dumps(data["model"])}, "machine": {json.dumps(data["machine"])}, "rows": [\n{lines}\n]}}\n')


def run(a, load, arguments, scheduler):
    extra = []
    if load == "long prompts":
        extra = ["--max-step-tokens", "64" if scheduler == "chunked" else "1024"]
    out = subprocess.run([a.rung, "bench-serve", "-m", a.model, *arguments, *extra, "--scheduler", scheduler, "--json"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def measure(a):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for load, arguments in loads(pathlib.Path(folder)).items():
            # In the second load requests come at a rate, and a scheduler that cannot keep up only shows its queue.
            chosen = SCHEDULERS if load == "mixed" else ["continuous", "chunked"]
            results = {s: [] for s in chosen}
            for _ in range(a.repeats):
                for scheduler in chosen:
                    results[scheduler].append(run(a, load, arguments, scheduler))
            for scheduler, runs in results.items():
                runs.sort(key=lambda r: r["output_tok_s"] if load == "mixed" else r["itl_s"]["p99"])
                rows.append({"load": load, "scheduler": scheduler, **runs[len(runs) // 2]})
                print(load, scheduler, f"{rows[-1]['output_tok_s']:.0f} tokens/s", flush=True)
    machine = json.loads(subprocess.run([a.rung, "ladder", "scheduler", "--measure", "--json"], check=True, capture_output=True,
                                        text=True).stdout)["machine"]
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "schedulers.json"
    large = [r for r in json.loads(file.read_text())["rows"] if r["load"] == "mixed, large"] if file.exists() else []
    write({"model": a.model, "machine": machine, "rows": rows + large})


def table(data, load):
    rows = [r for r in data["rows"] if r["load"] == load]
    lines = ["| scheduler | output tokens/s | against the first | TTFT median | ITL median | ITL P99 | steps |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for r in rows:
        lines.append(f"| `{r['scheduler']}` | {r['output_tok_s']:.0f} | {r['output_tok_s'] / rows[0]['output_tok_s']:.2f}× | "
                     f"{1e3 * r['ttft_s']['p50']:.0f} ms | {1e3 * r['itl_s']['p50']:.1f} ms | {1e3 * r['itl_s']['p99']:.1f} ms | "
                     f"{r['steps']} |")
    return "\n".join(lines)


def write_tables(data):
    readme = HERE / "README.md"
    marked = re.compile(r"(<!-- serve: results/schedulers.json, (?P<load>[^>]*?) -->\n).*?(<!-- end serve -->)", re.DOTALL)
    readme.write_text(marked.sub(lambda m: m[1] + table(data, m["load"]) + "\n" + m[3], readme.read_text()))


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
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    a = parser.parse_args()
    if a.large:
        data = json.loads((RESULTS / "schedulers.json").read_text())
        data["rows"] = [r for r in data["rows"] if r["load"] != "mixed, large"] + measure_large(a)
        write(data)
    elif not a.plot:
        measure(a)
    data = json.loads((RESULTS / "schedulers.json").read_text())
    write_tables(data)
    plot(data)


if __name__ == "__main__":
    main()
