"""llama.cpp: its llama-bench where the path has one (or $LLAMA_BENCH), else the library as the package xllamacpp brings it.

llama-bench built on the machine uses all of its instructions; packages are built for AVX2. $LLAMA_BENCH_VERSION is what the table
calls it.
"""
import json
import os
import resource
import shutil
import subprocess

from worker import Absent, main


def bench_program():
    return os.environ.get("LLAMA_BENCH") or shutil.which("llama-bench")


class Engine:
    @staticmethod
    def probe() -> str:
        if bench_program():
            return os.environ.get("LLAMA_BENCH_VERSION") or f"llama-bench at {bench_program()}"
        try:
            import xllamacpp
        except ImportError:
            raise Absent("neither llama-bench on the path (or in $LLAMA_BENCH) nor the package xllamacpp") from None
        return f"xllamacpp {xllamacpp.__version__}"

    def __init__(self, job: dict):
        self.job, self.weights, self.server = job, job["type"], None
        if bench_program():
            return
        import xllamacpp
        p = xllamacpp.CommonParams()
        p.model.path = job["gguf"]
        p.n_ctx, p.n_parallel = job["ctx"], 1
        p.n_batch = p.n_ubatch = 512
        p.cpuparams.n_threads = p.cpuparams_batch.n_threads = job["threads"]
        p.cache_ram_mib = 0
        self.server = xllamacpp.Server(p)

    def measure(self, prompt: list, new: int):
        if self.server is None:
            return self.measure_by_bench(prompt, new)
        answer = self.server.handle_completions({"prompt": prompt, "n_predict": new, "ignore_eos": True, "top_k": 1,
                                                 "temperature": 0, "cache_prompt": False})
        answer = answer if isinstance(answer, dict) else json.loads(answer)
        if "timings" not in answer:
            raise RuntimeError(str(answer)[:200])
        timings = answer["timings"]
        if timings["prompt_n"] != len(prompt) or timings["predicted_n"] != new:
            raise RuntimeError(f"asked for {len(prompt)} + {new} tokens, it did {timings['prompt_n']} + {timings['predicted_n']}")
        # It counts the first new token to decode, where it costs nothing: the prompt's pass made its logits.
        return timings["prompt_ms"] / 1e3, timings["predicted_ms"] / 1e3

    def measure_by_bench(self, prompt: list, new: int):
        lengths = ("-p", len(prompt), "-n", 0) if new == 1 else ("-p", 0, "-n", new - 1)
        command = [bench_program(), "-m", self.job["gguf"], *map(str, lengths), "-r", "1", "-t", str(self.job["threads"]),
                   "-ngl", "0", "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}")
        self.peak_rss_bytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        seconds = json.loads(done.stdout)[0]["avg_ns"] / 1e9
        return (seconds, 0.0) if new == 1 else (0.0, seconds)

    def measure_batch(self, sequences: int, new: int) -> float:
        """llama-batched-bench stands beside llama-bench; of the package there is no such thing."""
        program = bench_program() and shutil.which("llama-batched-bench", path=os.path.dirname(os.path.realpath(bench_program())))
        if not program:
            raise Absent("no llama-batched-bench beside llama-bench")
        command = [program, "-m", self.job["gguf"], "-t", str(self.job["threads"]), "-c", str(sequences * (new + 8)), "-npp", "1",
                   "-ntg", str(new), "-npl", str(sequences), "-ngl", "0", "--output-format", "jsonl"]
        done = subprocess.run(command, capture_output=True, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode != 0 or not rows:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}")
        return rows[-1]["t_tg"]


if __name__ == "__main__":
    main(Engine)
