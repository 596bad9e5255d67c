"""ik_llama.cpp, a fork of llama.cpp with kernels of its own (https://github.com/ikawrakow/ik_llama.cpp): the llama-bench that
$IK_LLAMA_BENCH names. $IK_LLAMA_BENCH_VERSION is what the table calls it.
"""
import os

from llama_bench import LlamaBench
from worker import Absent, main


class Engine(LlamaBench):
    @staticmethod
    def probe() -> str:
        program = os.environ.get("IK_LLAMA_BENCH")
        if not program:
            raise Absent("$IK_LLAMA_BENCH does not name its llama-bench")
        return os.environ.get("IK_LLAMA_BENCH_VERSION") or f"ik_llama.cpp's llama-bench at {program}"

    def __init__(self, job: dict):
        super().__init__(os.environ["IK_LLAMA_BENCH"], job)


if __name__ == "__main__":
    main(Engine)
