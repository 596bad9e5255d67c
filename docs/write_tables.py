#!/usr/bin/env python3
"""Writes the tables of measurements in the lessons from the JSON of `rung ladder SEAM --measure --json`.

A lesson marks the place; everything between the two marks is generated, nothing else in the file is touched:

    <!-- measured: rung ladder attention --measure --json > results/attention.json -->
    <!-- end -->

or from what 06_benchmarks/engine_comparison/compare.py wrote:

    <!-- comparison: results/smollm2.json -->
    <!-- end -->

or what a program prints, as it is:

    <!-- output: linear_tile_stages > results/tile_stages.txt -->
    <!-- end -->

The prose table of the ladder (what changes, why it is faster) is written by hand and stands above it. A mark may ask
for some of the timed workloads only, by a word of their names:  ... > results/attention.json (trials: decode) -->
and for one row per workload and one column per rung:  ... > results/linear.json (trials: decode; matrix) -->

Run as:  write_tables.py               rewrites the tables of all lessons from the JSON files that lie beside them
         write_tables.py --measure     runs the commands first (build/bin/rung), which takes minutes
         write_tables.py --check       exit status 1 when a table is not what its JSON file says
         write_tables.py --self-test   checks this script
         with file names: only these lessons
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from lessons.limit_words import LIMIT_WORDS  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"<!-- measured: (?P<command>.+?) > (?P<file>\S+\.json)"
                  r"(?: \(trials: (?P<trials>[^);]*)(?P<matrix>; matrix)?\))? -->\n"
                  r"(?P<table>.*?)<!-- end -->", re.DOTALL)
COMPARISON = re.compile(r"(?P<mark><!-- comparison: (?P<file>\S+\.json) -->\n).*?<!-- end -->", re.DOTALL)

OUTPUT = re.compile(r"(?P<mark><!-- output: (?P<command>.+?) > (?P<file>\S+\.txt) -->\n).*?<!-- end -->", re.DOTALL)


def seconds_text(seconds):
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def limit_text(row, machine):
    """The share of whichever limit of the machine is nearer; rows of older results do not say which one that is."""
    if "limit" in row:
        return f"{row['pct_of_limit']:.0f} % of {LIMIT_WORDS[row['limit']]}"
    shares = [(row["gb_s"] / machine["read_gb_s"], "read") if machine.get("read_gb_s") else (0, ""),
              (row["gflop_s"] / machine["fma_gflop_s"], "FMA") if machine.get("fma_gflop_s") else (0, "")]
    share, name = max(shares)
    return f"{100 * share:.0f} % of {name}" if name else ""


def matrix_lines(rows, machine):
    """One row per workload: the time of each rung and its share of the nearer limit; the fastest in bold."""
    rungs = list(dict.fromkeys(r["rung"] for r in rows))
    # Ladders of other formats leave rungs out; the order of the rows is the ladder's, as far as it is known.
    trials = {}
    for row in rows:
        trials.setdefault(row["trial"], {})[row["rung"]] = row
    lines = ["| workload | " + " | ".join(f"`{r}`" for r in rungs) + " |", "|---|" + "---:|" * len(rungs)]
    for trial, by_rung in trials.items():
        best = min(by_rung.values(), key=lambda r: r["seconds"])
        cells = []
        for rung in rungs:
            row = by_rung.get(rung)
            text = f"{seconds_text(row['seconds'])}, {limit_text(row, machine)}" if row else ""
            cells.append(f"**{text}**" if row is best else text)
        lines.append(f"| {trial} | " + " | ".join(cells) + " |")
    return lines


def table(command, document, wanted, matrix=False):
    machine = document["machine"]
    rows = [r for r in document["rows"] if r["rung"] != "mine" and (not wanted or wanted in r["trial"])]
    if not rows:
        sys.exit(f"the results of '{command}' have no trial that contains '{wanted}'")
    lines = matrix_lines(rows, machine) if matrix else row_lines(rows, machine)
    limits = ""
    if machine.get("read_gb_s") and machine.get("fma_gflop_s"):
        limits = (f"; its limits at that moment: {number(machine['read_gb_s'])} GB/s read, "
                  f"{number(machine['fma_gflop_s'])} GFLOP/s float32 FMA")
        if machine.get("int8_gop_s"):
            limits += f", {number(machine['int8_gop_s'])} GOP/s int8"
    where = ", ".join(str(x) for x in (machine.get("name", "unknown machine"),
                                       f"{machine.get('threads', '?')} threads", machine.get("simd", "")) if x)
    lines += ["", f"Measured by `{command}` on the {machine.get('device', 'cpu').upper()}: {where}{limits}.", ""]
    return "\n".join(lines)


def row_lines(rows, machine):
    lines = ["| workload | rung | time | GB/s | GFLOP/s | of the limit | speed against the bottom rung |",
             "|---|---|---:|---:|---:|---:|---:|"]
    trial = None
    for row in rows:
        shown = row["trial"] if row["trial"] != trial else ""
        trial = row["trial"]
        lines.append(f"| {shown} | `{row['rung']}` | {seconds_text(row['seconds'])} | {number(row['gb_s'])} | "
                     f"{number(row['gflop_s'])} | {limit_text(row, machine)} | {number(row['factor'])}× |")
    return lines


def measure(command, file):
    words, environment = shlex.split(command), dict(os.environ)
    while "=" in words[0]:  # RUNG_SIMD=avx2 rung ...
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    words[0] = str(ROOT / "build" / "bin" / words[0])
    print(f"measuring: {command}", flush=True)
    output = subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment).stdout
    if file.suffix == ".json":
        json.loads(output)
    file.parent.mkdir(exist_ok=True)
    file.write_text(output, encoding="utf-8")


def rewrite(lesson, again):
    """The lesson's text with its tables as their JSON files say; marks without a JSON file stay as they are."""
    def results(match):
        """What a mark's file says, measured again where that is asked for; None without a file."""
        file = lesson.parent / match["file"]
        if again and not (file in again):
            measure(match["command"], file)
            again.add(file)
        return file.read_text(encoding="utf-8") if file.is_file() else None

    def replace(match):
        text = results(match)
        if text is None:
            return match[0]
        document = json.loads(text)
        start = match[0][: match.start("table") - match.start()]
        return start + table(match["command"], document, match["trials"] or "", bool(match["matrix"])) + "<!-- end -->"

    def compared(match):
        file = lesson.parent / match["file"]
        if not file.is_file():
            return match[0]
        sys.path.insert(0, str(ROOT / "06_benchmarks" / "engine_comparison"))
        from compare import table as comparison_table
        return match["mark"] + comparison_table(json.loads(file.read_text(encoding="utf-8"))) + "<!-- end -->"

    def printed(match):
        text = results(match)
        if text is None:
            return match[0]
        lines = [f"    {line}".rstrip() for line in text.splitlines()]
        return match["mark"] + "\n".join(["", *lines, ""]) + "\n<!-- end -->"

    return OUTPUT.sub(printed, COMPARISON.sub(compared, MARK.sub(replace, lesson.read_text(encoding="utf-8"))))


def self_test():
    row = {"rung": "naive", "source": "", "summary": "", "trial": "decode f32", "seconds": 2e-3, "gb_s": 4.0,
           "gflop_s": 2.0, "error": 0, "tolerance": 1, "factor": 1.0}
    document = {"seam": "x", "machine": {"name": "two cores", "threads": 2, "simd": "avx2", "read_gb_s": 16,
                                         "fma_gflop_s": 100, "device": "cpu"},
                "rows": [row, {**row, "rung": "fast", "seconds": 5e-4, "factor": 4.0}, {**row, "rung": "mine"},
                         {**row, "trial": "prefill"}]}
    with tempfile.TemporaryDirectory() as folder:
        lesson = Path(folder) / "README.md"
        (Path(folder) / "results").mkdir()
        (Path(folder) / "results" / "x.json").write_text(json.dumps(document))
        mark = "<!-- measured: rung ladder x --measure --json > results/x.json (trials: decode) -->\n"
        other = "<!-- measured: rung ladder y --measure --json > results/y.json -->\n<!-- end -->\n"
        lesson.write_text(f"before\n{mark}| old |\n<!-- end -->\nafter\n{other}")
        once = rewrite(lesson, set())
        assert once.startswith(f"before\n{mark}| workload |") and once.endswith(f"<!-- end -->\nafter\n{other}"), once
        assert "|  | `fast` | 500 µs | 4 | 2 | 25 % of read | 4× |" in once, once
        for absent in ("old", "mine", "prefill"):
            assert absent not in once.replace(mark, ""), once
        lesson.write_text(f"{mark.replace('decode', 'decode; matrix')}<!-- end -->\n")
        assert "| decode f32 | 2 ms, 25 % of read | **500 µs, 25 % of read** |" in rewrite(lesson, set())
        lesson.write_text(once)
        assert rewrite(lesson, set()) == once
        (Path(folder) / "results" / "x.txt").write_text("load 22 cycles\n")
        lesson.write_text("<!-- output: x > results/x.txt -->\n    old\n<!-- end -->\nafter\n")
        assert rewrite(lesson, set()) == "<!-- output: x > results/x.txt -->\n\n    load 22 cycles\n\n<!-- end -->\nafter\n"
    print("write_tables.py writes what the JSON says, and leaves the rest alone")


def main():
    parser = argparse.ArgumentParser(description="Writes the tables of measurements in the lessons.")
    parser.add_argument("lessons", nargs="*", type=Path)
    parser.add_argument("--measure", action="store_true", help="run the commands first")
    parser.add_argument("--check", action="store_true", help="fail when a table is not what its JSON file says")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    lessons = arguments.lessons or sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("0[1-8]_*/**/*.md")])
    measured = {None} if arguments.measure else set()
    stale = 0
    for lesson in (p.resolve() for p in lessons if p.is_file()):
        text = rewrite(lesson, measured)
        if text == lesson.read_text(encoding="utf-8"):
            continue
        if arguments.check:
            stale += 1
            print(f"{lesson}: a table is not what its JSON file says; run docs/write_tables.py")
        else:
            lesson.write_text(text, encoding="utf-8")
            print(f"wrote {lesson}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
