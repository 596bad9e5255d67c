#!/usr/bin/env python3
"""Measures what each rung of `fusion` saves in whole models, and writes the lesson's tables.

usage: 03_techniques/kernel_fusion/measure.py NAME MODEL --out FOLDER --count [--linear auto] [--rung build/bin/rung]
       03_techniques/kernel_fusion/measure.py NAME MODEL --out FOLDER [-p 256] [-n 64] [-r 3] [--rounds 5]
           [--linear auto]
       03_techniques/kernel_fusion/measure.py --plot --out FOLDER

With --count, one short `rung bench` of MODEL per rung counts how often a decode step starts the threads, and where the
rung applies. These counts do not depend on the speed of the machine. Without --count, all rungs run once in each round,
because the speed of the machine drifts and only runs close in time are comparable. The rounds are added to earlier
ones. Both write FOLDER/NAME.json.

--plot writes FOLDER/tables.md from these files (there are no pictures): the bytes of intermediates that are no longer
written and read (computed from the model's shape), the counts, and, if there are rounds, the median of the speed
relative to `none` in the same round. --update is for maintainers: it writes to results/ and between the marks
<!-- engine: results/NAME.json --> and <!-- end --> of the lesson.
"""

import json
import re
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import UsageError, lesson_main, run  # noqa: E402

RUNGS = ("none", "qkv", "gate_up", "add_norm", "rope_store")


def ask(rung, *arguments):
    """The JSON that the program prints, and its log."""
    done = run(rung, *arguments, "--json")
    return json.loads(done.stdout), done.stderr


def measure(a):
    if a.model is None:
        raise UsageError("give a NAME and a MODEL, or --plot")
    a.out.mkdir(parents=True, exist_ok=True)
    path = a.out / f"{a.name}.json"
    command = ["bench", "-m", a.model, "-b", 1, "--linear", a.linear]
    document = a.results.before(path.name, {"counts": {}, "rounds": []})
    document["model"] = ask(a.rung, "inspect", a.model)[0]["model"]
    document["file"] = Path(a.model).name
    if a.count:
        for rung in RUNGS:
            row = ask(a.rung, *command, "-p", 0, "-n", 4, "-r", 1, "--set", f"fusion={rung}")[0][0]
            document["counts"][rung] = {key: row[key] for key in ("parallel_regions", "fused")}
        path.write_text(json.dumps(document, indent=1) + "\n")
        return
    document["command"] = (f"rung bench -m {document['file']} -p {a.prompt} -n {a.tokens} -r {a.repeats} "
                           f"--linear {a.linear}")
    for _ in range(a.rounds):
        rows = {}
        for rung in RUNGS:
            answer, log = ask(a.rung, *command, "-p", a.prompt, "-n", a.tokens, "-r", a.repeats,
                              "--set", f"fusion={rung}")
            document["machine"] = next(line for line in log.splitlines() if "GB/s read" in line)
            rows[rung] = {r["test"][:2]: r["tok_s"] for r in answer}
        document["rounds"].append(rows)
        path.write_text(json.dumps(document, indent=1) + "\n")
        print(" ".join(f"{rung} {row['tg']:.2f}" for rung, row in rows.items()), flush=True)


def saved_bytes(model, rung):
    """Returns the bytes of float32 intermediates per token and layer that no longer leave a thread's nearest cache,
    with all rungs up to and including `rung`."""
    dim, ffn = model["dim"], model["ffn_dim"]
    kv = model["kv_heads"] * model["head_dim"]
    steps = {"none": 0, "qkv": 0,
             "gate_up": 4 * 4 * ffn,      # gate and up are written and read
             "add_norm": 2 * 4 * dim,     # twice per layer x is read once less
             "rope_store": 4 * kv}        # k is read once less
    return sum(steps[r] for r in RUNGS[:RUNGS.index(rung) + 1])


def speed(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def table(document):
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
            middle = statistics.median(r[rung][test] for r in rounds)
            cells += [speed(middle), f"{statistics.median(ratios):.3f}×{spread}"]
        lines.append("| " + " | ".join(cells) + " |")
    note = (f"`{document['file']}`, two threads; bytes computed from its shape, counts by `rung bench --json` "
            "(`measure.py --count`).")
    if rounds:
        note += (f" Speeds: `{document['command']}`, {len(rounds)} rounds over all rungs, the median and in brackets "
                 f"the worst and the best round. {document['machine']}.")
    return [*lines, "", note]


def report(a):
    if not a.redraw:
        return  # a measurement need not have counts and rounds yet
    for file in re.findall(r"<!-- engine: (\S+\.json) -->", a.results.lesson.read_text(encoding="utf-8")):
        a.results.write_table(f"engine: {file}", table(a.results.read(Path(file).name)))


def options(parser):
    parser.add_argument("name", nargs="?")
    parser.add_argument("model", nargs="?")
    parser.add_argument("-p", "--prompt", type=int, default=256)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("-r", "--repeats", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--linear", default="auto")
    parser.add_argument("--count", action="store_true", help="only what does not depend on the machine's speed")


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options)
