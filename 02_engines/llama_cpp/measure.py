#!/usr/bin/env python3
"""Measures what the rungs of `loading` change for a whole model: the time to the first token, cold and warm, and
memory.

usage: 02_engines/llama_cpp/measure.py MODEL.gguf --out FOLDER [--rung build/bin/rung]

    rung synth model.gguf --shape tinyllama-1.1b --type q4_0
    python3 02_engines/llama_cpp/measure.py model.gguf --out startup

The products read the weights in place (--linear in_place), because a copy would hide what loading costs. The prompt is
the start token alone, so the first token costs one pass over the weights. "cold" means that the file's pages were
dropped from the system's cache (posix_fadvise) before the run. The runs of the rungs are interleaved, and the script
writes medians of 5 runs to FOLDER/startup.json. It also starts two processes per rung. While both generate, it reads
from smaps_rollup how much memory each one has: Rss counts shared pages in both, and Pss gives each process its half.
--update is for maintainers: it writes to results/.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import lesson_main  # noqa: E402

RUNGS = ["read", "mmap", "mmap_prefetch"]
REPEATS = 5


def drop_pages(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def command(program, model, rung, tokens):
    return [program, "generate", "-m", model, "--linear", "in_place", "--set", f"loading={rung}", "-p", "",
            "-n", str(tokens), "--temp", "0", "--ignore-eos", "--json"]


def first_token(program, model, rung, cold):
    if cold:
        drop_pages(model)
    begin = time.perf_counter()
    done = subprocess.run(command(program, model, rung, 1), check=True, capture_output=True)
    wall = time.perf_counter() - begin
    result = json.loads(done.stdout)
    return {"load_s": result["timings"]["load_s"], "ttft_s": result["timings"]["ttft_s"], "process_s": wall,
            **result["memory"]}


def rollup(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    return {key: int(fields[key].split()[0]) * 1024 for key in ("Rss", "Pss", "Anonymous")}


def two_processes(program, model, rung):
    weights = os.path.getsize(model)
    processes = [subprocess.Popen(command(program, model, rung, 300), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            memory = [rollup(p.pid) for p in processes]
            if all(m["Rss"] > 0.95 * weights for m in memory):
                break
            time.sleep(0.2)
        return memory
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure(a):
    program, model = a.rung, a.file
    runs = {(rung, cold): [] for cold in (True, False) for rung in RUNGS}
    for _ in range(REPEATS):
        for (rung, cold), results in runs.items():
            if not cold:
                subprocess.run(["cat", model], stdout=subprocess.DEVNULL, check=True)
            results.append(first_token(program, model, rung, cold))
    rows = []
    for (rung, cold), results in runs.items():
        row = {key: statistics.median(r[key] for r in results) for key in results[0]}
        rows.append({"rung": rung, "cache": "cold" if cold else "warm", **row,
                     "first_token_s": statistics.median(r["load_s"] + r["ttft_s"] for r in results),
                     "first_token_s_min": min(r["load_s"] + r["ttft_s"] for r in results)})
    document = {"model_bytes": os.path.getsize(model), "repeats": REPEATS, "rows": rows,
                "two_processes": {rung: two_processes(program, model, rung) for rung in RUNGS}}
    a.out.mkdir(parents=True, exist_ok=True)
    (a.out / "startup.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {a.out / 'startup.json'}")


def options(parser):
    parser.add_argument("file", metavar="MODEL.gguf")


if __name__ == "__main__":
    lesson_main(__doc__, measure, options=options, redraw=None)
