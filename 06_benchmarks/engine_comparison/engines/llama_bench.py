"""llama-bench and llama-batched-bench, the benchmark programs of llama.cpp and of its forks.

A process per measurement: both load the model before their clock starts.
"""
import json
import os
import resource
import shutil
import subprocess

from worker import Absent


def run(command: list) -> subprocess.CompletedProcess:
    """Raises RuntimeError with the last thing that the program said, where it failed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise RuntimeError(said[-1] if said else f"exit status {done.returncode}")
    return done


class LlamaBench:
    def __init__(self, program: str, job: dict):
        self.program, self.job, self.weights, self.peak_rss_bytes = program, job, job["type"], 0

    def measure(self, prompt: list, new: int):
        lengths = ("-p", len(prompt), "-n", 0) if new == 1 else ("-p", 0, "-n", new - 1)
        out = run([self.program, "-m", self.job["gguf"], *lengths, "-r", 1, "-t", self.job["threads"], "-ngl", 0, "-o", "json"]).stdout
        self.peak_rss_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        seconds = json.loads(out[out.index("["):])[0]["avg_ns"] / 1e9
        return (seconds, 0.0) if new == 1 else (0.0, seconds)

    def measure_batch(self, sequences: int, new: int) -> float:
        """llama-batched-bench stands beside llama-bench."""
        program = shutil.which("llama-batched-bench", path=os.path.dirname(os.path.realpath(self.program)))
        if not program:
            raise Absent("no llama-batched-bench beside llama-bench")
        done = run([program, "-m", self.job["gguf"], "-t", self.job["threads"], "-c", sequences * (new + 8), "-npp", 1, "-ntg", new,
                    "-npl", sequences, "-ngl", 0, "--output-format", "jsonl"])
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if rows:
            return rows[-1]["t_tg"]
        return seconds_in_table(done.stdout + done.stderr)


def seconds_in_table(text: str) -> float:
    """The seconds of decoding, where a program knows tables only: |PP|TG|B|N_KV|T_PP s|S_PP t/s|T_TG s|S_TG t/s|T s|S t/s|."""
    rows = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("|")]
    numbers = [row for row in rows if len(row) == 10 and row[0].strip().isdigit()]
    if not numbers:
        raise RuntimeError("llama-batched-bench printed neither JSON nor its table")
    return float(numbers[-1][6])
