"""llama.cpp: its llama-bench where the path has one (or $LLAMA_BENCH), else the library as the package xllamacpp brings it.

llama-bench built on the machine uses all of its instructions; packages are built for AVX2. $LLAMA_BENCH_VERSION is what the table
calls it.
"""
import json
import os
import shutil

from llama_bench import LlamaBench
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

    def __new__(cls, job: dict):
        return LlamaBench(bench_program(), job) if bench_program() else super().__new__(cls)

    def __init__(self, job: dict):
        self.weights = job["type"]
        import xllamacpp
        p = xllamacpp.CommonParams()
        p.model.path = job["gguf"]
        p.n_ctx, p.n_parallel = job["ctx"], 1
        p.n_batch = p.n_ubatch = 512
        p.cpuparams.n_threads = p.cpuparams_batch.n_threads = job["threads"]
        p.cache_ram_mib = 0
        self.server = xllamacpp.Server(p)

    def measure(self, prompt: list, new: int):
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


if __name__ == "__main__":
    main(Engine)
