#!/usr/bin/env python3
"""Measures and draws what becomes of a model beyond its trained length.

usage: 01_challenges/long_sequence/measure.py TEXT [--model tiny] [--rung build/bin/rung] [--times 1,2,4] [--parts 16]
       01_challenges/long_sequence/measure.py --plot

TEXT should be one that the model was not trained on, of some hundred thousand tokens. For every stretch and every rung of seam
rope `rung perplexity` reads it in windows of that length, and twice more with a cache of the trained length only, that keeps the
latest tokens, without and with the first four; results/length.json receives the mean nats per token of each part of a window,
results/length.svg and .png the picture (needs matplotlib). --only measures some methods again and leaves the other rows.
"""

import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "docs"))
from lesson_marks import write_between  # noqa: E402

RESULTS = HERE / "results"
LOOKS = {"plain": ("#c0392b", "-"), "linear": ("#b5651d", "--"), "ntk": ("#1f6f8b", "-."), "yarn": ("#3a7d44", "-"),
         "window": ("#6c3483", "-"), "sinks": ("#d4ac0d", ":")}
SINKS = {"window": 0, "sinks": 4}  # the others stretch the positions


def ask(rung, *arguments):
    done = subprocess.run([rung, *map(str, arguments), "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure(a):
    trained = ask(a.rung, "inspect", a.model)["model"]["context_length"]
    rows = []
    if a.only != list(LOOKS):
        rows = [row for row in json.loads((RESULTS / "length.json").read_text())["rows"] if row["rope"] not in a.only]
    for times in a.times:
        for method in a.only if times > 1 else {"plain"} & set(a.only):
            how = ("--set", f"rope={method}")
            if method in SINKS:
                how = ("--sinks", SINKS[method], "--window", trained, "--block-size", 4)
            # A window's last token is predicted and not fed, hence one more than the context.
            out = ask(a.rung, "perplexity", "-m", a.model, "-f", a.text, "--ctx", trained * times + 1, "--stride",
                      trained * times, *how, "--parts", a.parts * times)
            rows.append({"times": times, "rope": method, "ctx": trained * times, "nll": out["nll"], "nll_stderr": out["nll_stderr"],
                         "tokens": out["tokens"], "parts": out["parts"]})
            print(f"{times} times, {method}: {out['nll']:.4f} nats per token", flush=True)
    rows.sort(key=lambda row: (row["times"], list(LOOKS).index(row["rope"])))
    RESULTS.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    (RESULTS / "length.json").write_text(
        f'{{"model": {json.dumps(a.model)}, "trained": {trained}, "rows": [\n{lines}\n]}}\n')


def table(data):
    """Nats per token of each trained length of a window."""
    most = max(row["times"] for row in data["rows"])
    lines = ["| `--ctx` | | " + " | ".join(f"to {data['trained'] * (i + 1):,}" for i in range(most)) + " | all |",
             "|---:|---|" + "---:|" * (most + 1)]
    before = 0
    for row in data["rows"]:
        parts, cells = row["parts"], []
        for i in range(most):
            here = parts[i * len(parts) // row["times"]:(i + 1) * len(parts) // row["times"]] if i < row["times"] else []
            tokens = sum(p["tokens"] for p in here)
            cells.append(f"{sum(p['nll'] * p['tokens'] for p in here) / tokens:.3f}" if tokens else "")
        name = "any" if row["times"] == 1 else f"`--sinks {SINKS[row['rope']]}`" if row["rope"] in SINKS else f"`{row['rope']}`"
        ctx = "" if row["times"] == before else f"{row['ctx']:,}"
        before = row["times"]
        lines.append(f"| {ctx} | {name} | " + " | ".join(cells) + f" | {row['nll']:.3f} |")
    return lines


def plot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "rung"  # the same data gives the same file
    matplotlib.rcParams["font.size"] = 9
    data = json.loads((RESULTS / "length.json").read_text())
    write_between(HERE / "README.md", "length", table(data))
    stretches = sorted({row["times"] for row in data["rows"]} - {1})
    figure, axes = plt.subplots(1, len(stretches), figsize=(4.4 * len(stretches), 3.6), sharey=True, squeeze=False)
    for axis, times in zip(axes[0], stretches):
        shown = [row for row in data["rows"] if row["times"] in (1, times)]
        for row in shown:
            middles = [(p["from"] + p["to"]) / 2 for p in row["parts"]]
            color, style = ("#555555", ":") if row["times"] == 1 else LOOKS[row["rope"]]
            label = "trained length" if row["times"] == 1 else row["rope"]
            axis.plot(middles, [p["nll"] for p in row["parts"]], color=color, linestyle=style, label=label)
        axis.axvline(data["trained"], color="#999999", linewidth=0.8)
        axis.set_title(f"{times} times the trained {data['trained']:,} tokens", fontsize=9)
        axis.set_xlabel("place of the predicted token in its window")
        axis.grid(True, color="#dddddd", linewidth=0.6)
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    best = min(p["nll"] for row in data["rows"] for p in row["parts"])
    axes[0][0].set_ylim(best - 0.1, best + 1.3)
    axes[0][0].set_ylabel("nats per token")
    axes[0][0].legend(frameon=False, fontsize=8, loc="upper left")
    figure.tight_layout()
    figure.savefig(RESULTS / "length.svg", metadata={"Date": None})
    figure.savefig(RESULTS / "length.png", dpi=90)
    print("wrote length.svg and length.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", nargs="?")
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--rung", default=str(HERE.parents[1] / "build" / "bin" / "rung"))
    parser.add_argument("--times", type=lambda s: [int(x) for x in s.split(",")], default=[1, 2, 4])
    parser.add_argument("--parts", type=int, default=16, help="parts of a trained length")
    parser.add_argument("--only", type=lambda s: s.split(","), default=list(LOOKS), help="of: " + ", ".join(LOOKS))
    parser.add_argument("--plot", action="store_true", help="only draw what was measured before")
    a = parser.parse_args()
    if not a.plot:
        if a.text is None:
            parser.error("give a TEXT to measure on, or --plot")
        measure(a)
    plot()


if __name__ == "__main__":
    main()
