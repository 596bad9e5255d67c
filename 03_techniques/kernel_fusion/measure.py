#!/usr/bin/env python3
"""Measures what each rung of `fusion` saves in whole models, and writes the lesson's tables.

usage: 03_techniques/kernel_fusion/measure.py NAME MODEL --count [--linear auto] [--rung build/bin/rung]
       03_techniques/kernel_fusion/measure.py NAME MODEL [-p 256] [-n 64] [-r 3] [--rounds 5] [--linear auto]
       03_techniques/kernel_fusion/measure.py --tables

With --count one short `rung bench` of MODEL per rung says how often the threads are sent out in a decode step and where the rung
applies: that does not depend on the machine's speed. Without it all rungs take turns in each round (the machine drifts; neighbours
in time are comparable), and the rounds are added to those before. Both write results/NAME.json. --tables writes the tables between
the marks of the lesson
    <!-- engine: results/NAME.json -->  ...  <!-- end -->
from these files: bytes of intermediates that are no longer written and read (computed from the model's shape), the counts, and, where
there are rounds, the median of the speed against `none` in the same round.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RUNGS = ("none", "qkv", "gate_up", "add_norm", "rope_store")
MARK = re.compile(r"(?P<mark><!-- engine: (?P<file>\S+\.json) -->\n).*?<!-- end -->", re.DOTALL)


def ask(rung, *arguments):
    done = subprocess.run([rung, *map(str, arguments), "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout), done.stderr


def measure(a):
    path = HERE / "results" / f"{a.name}.json"
    command = ["bench", "-m", a.model, "-b", 1, "--linear", a.linear]
    document = json.loads(path.read_text()) if path.exists() else {"counts": {}, "rounds": []}
    document["model"] = ask(a.rung, "inspect", a.model)[0]["model"]
    document["file"] = pathlib.Path(a.model).name
    if a.count:
        for rung in RUNGS:
            row = ask(a.rung, *command, "-p", 0, "-n", 4, "-r", 1, "--set", f"fusion={rung}")[0][0]
            document["counts"][rung] = {key: row[key] for key in ("parallel_regions", "fused")}
        path.write_text(json.dumps(document, indent=1) + "\n")
        return
    document["command"] = f"rung bench -m {document['file']} -p {a.prompt} -n {a.tokens} -r {a.repeats} --linear {a.linear}"
    for _ in range(a.rounds):
        rows = {}
        for rung in RUNGS:
            answer, log = ask(a.rung, *command, "-p", a.prompt, "-n", a.tokens, "-r", a.repeats, "--set", f"fusion={rung}")
            document["machine"] = next(line for line in log.splitlines() if "GB/s read" in line)
            rows[rung] = {r["test"][:2]: r["tok_s"] for r in answer}
        document["rounds"].append(rows)
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(" ".join(f"{rung} {row['tg']:.2f}" for rung, row in rows.items()), flush=True)


def saved_bytes(model, rung):
    """Float32 intermediates per token and layer that no longer leave a thread's nearest cache. Up to and including `rung`."""
    dim, ffn = model["dim"], model["ffn_dim"]
    kv = model["kv_heads"] * model["head_dim"]
    steps = {"none": 0, "qkv": 0,
             "gate_up": 4 * 4 * ffn,      # gate and up are written and read
             "add_norm": 2 * 4 * dim,     # twice per layer x is read once less
             "rope_store": 4 * kv}        # k is read once less
    return sum(steps[r] for r in RUNGS[:RUNGS.index(rung) + 1])


def speed(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def table(path):
    document = json.loads(path.read_text())
    rounds = document["rounds"]
    heads = ["rung", "bytes saved per token and layer", "threads sent out per decode step"]
    if rounds:
        heads += ["prefill, tok/s", "against `none`", "decode, tok/s", "against `none`"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for rung in RUNGS:
        cells = [f"`{rung}`", f"{saved_bytes(document['model'], rung):,}",
                 f"{document['counts'][rung]['parallel_regions']:g}"]
        for test in ("pp", "tg") if rounds else ():
            ratios = sorted(r[rung][test] / r["none"][test] for r in rounds)
            spread = f" ({ratios[0]:.3f} to {ratios[-1]:.3f})" if rung != "none" else ""
            cells += [speed(statistics.median(r[rung][test] for r in rounds)), f"{statistics.median(ratios):.3f}×{spread}"]
        lines.append("| " + " | ".join(cells) + " |")
    told = f"`{document['file']}`, two threads; bytes computed from its shape, counts by `rung bench --json` (`measure.py --count`)."
    if rounds:
        told += (f" Speeds: `{document['command']}`, {len(rounds)} rounds over all rungs, the median and in brackets the worst and the "
                 f"best round. {document['machine']}.")
    return "\n".join([*lines, "", told, ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("model", nargs="?")
    parser.add_argument("-p", "--prompt", type=int, default=256)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("-r", "--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--linear", default="auto")
    parser.add_argument("--rung", default=str(HERE.parents[1] / "build" / "bin" / "rung"))
    parser.add_argument("--count", action="store_true", help="only what does not depend on the machine's speed")
    parser.add_argument("--tables", action="store_true")
    a = parser.parse_args()
    if a.tables:
        lesson = HERE / "README.md"
        text = lesson.read_text()
        lesson.write_text(MARK.sub(lambda m: m["mark"] + table(HERE / m["file"]) + "<!-- end -->", text))
        return 0
    if a.model is None:
        parser.error("give a NAME and a MODEL, or --tables")
    measure(a)
    return 0


if __name__ == "__main__":
    sys.exit(main())
