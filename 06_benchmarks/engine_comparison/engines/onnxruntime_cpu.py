"""ONNX Runtime GenAI: a graph built from the Hugging Face folder by its model builder."""
import subprocess
import sys
import time
from pathlib import Path

from worker import Absent, folder_of, main

TYPES = {"f32": "fp32", "q4_0": "int4"}  # int4: blocks of 32, rounded by the builder


class Engine:
    @staticmethod
    def probe() -> str:
        try:
            import onnxruntime_genai
        except ImportError as error:
            raise Absent(f"the package onnxruntime-genai is not installed ({error})") from None
        return f"onnxruntime-genai {onnxruntime_genai.__version__}"

    def __init__(self, job: dict):
        import onnxruntime_genai
        if job["type"] not in TYPES:
            raise Absent(f"it has no counterpart of {job['type']}")
        self.genai, self.weights = onnxruntime_genai, TYPES[job["type"]]
        folder = Path(job["work"]) / f"onnxruntime-{self.weights}"
        if not (folder / "genai_config.json").exists():
            done = subprocess.run([sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", folder_of(job), "-o", str(folder),
                                   "-p", self.weights, "-e", "cpu", "-c", job["work"]], capture_output=True, text=True)
            if done.returncode != 0:
                raise Absent(f"its model builder failed: {done.stderr.strip().splitlines()[-1]}")
        config = onnxruntime_genai.Config(str(folder))
        config.overlay(f'{{"model": {{"decoder": {{"session_options": {{"intra_op_num_threads": {job["threads"]}}}}}}}}}')
        self.model = onnxruntime_genai.Model(config)

    def measure(self, prompt: list, new: int):
        params = self.genai.GeneratorParams(self.model)
        length = len(prompt) + new
        params.set_search_options(do_sample=False, max_length=length, min_length=length)
        generator = self.genai.Generator(self.model, params)
        start = time.perf_counter()
        generator.append_tokens(prompt)
        generator.generate_next_token()
        first = time.perf_counter() - start
        for _ in range(new - 1):
            generator.generate_next_token()
        return first, time.perf_counter() - start - first


if __name__ == "__main__":
    main(Engine)
