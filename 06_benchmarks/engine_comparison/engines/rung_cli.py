"""Rung, through `rung bench`: a process per measurement, which loads the model before the clock starts."""
import json
import os
import shlex
import subprocess
import tempfile

from worker import Absent, main


class Engine:
    @staticmethod
    def probe() -> str:
        program = os.environ.get("RUNG", "rung")
        try:
            return subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError) as error:
            raise Absent(f"cannot start {program}: {error}") from None

    def __init__(self, job: dict):
        self.job, self.program = job, os.environ.get("RUNG", "rung")
        self.weights = job["type"]
        self.peak_rss_bytes = 0

    def measure(self, prompt: list, new: int):
        # Its prompts are random ids too; it leaves the first token out of decode by itself.
        lengths = ("-p", len(prompt), "-n", 0) if new == 1 else ("-p", 0, "-n", new - 1)
        seconds = (len(prompt) if new == 1 else new - 1) / self.bench(lengths)
        return (seconds, 0.0) if new == 1 else (0.0, seconds)

    def measure_batch(self, sequences: int, new: int) -> float:
        return sequences * new / self.bench(("-p", 0, "-n", new, "-b", sequences))

    def bench(self, lengths: tuple) -> float:
        """Tokens per second of one run."""
        command = [self.program, "bench", "-m", self.job["gguf"], *map(str, lengths), "-r", "1", "--threads",
                   str(self.job["threads"]), "--json", *shlex.split(self.job.get("arguments", ""))]
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(command, stdout=out, stderr=err)
            _, process.returncode, usage = os.wait4(process.pid, 0)  # which tells this process's memory alone
            out.seek(0)
            err.seek(0)
            if process.returncode != 0:
                raise RuntimeError(err.read().strip().splitlines()[-1])
            row = json.loads(out.read())[0]
        self.peak_rss_bytes = usage.ru_maxrss * 1024
        return row["tok_s"]


if __name__ == "__main__":
    main(Engine)
