"""CTranslate2 (github.com/OpenNMT/CTranslate2): weights converted from the Hugging Face folder."""
import json
import subprocess
import sys
import time
from pathlib import Path

from worker import Absent, folder_of, main

# Its 8-bit weights have one scale per row, rounded by itself.
TYPES = {"f32": "float32", "q8_0": "int8_float32", "bf16": "bfloat16"}


class Engine:
    @staticmethod
    def probe() -> str:
        try:
            import ctranslate2
        except ImportError:
            raise Absent("the package ctranslate2 is not installed") from None
        return f"ctranslate2 {ctranslate2.__version__}"

    def __init__(self, job: dict):
        import ctranslate2
        if TYPES.get(job["type"]) not in ctranslate2.get_supported_compute_types("cpu"):
            raise Absent(f"it has no counterpart of {job['type']} on this processor")
        self.weights = TYPES[job["type"]]
        folder = Path(job["work"]) / f"ctranslate2-{self.weights}"
        if not (folder / "model.bin").exists():
            # In a process of its own: its memory is not the engine's.
            done = subprocess.run([sys.executable, "-m", "ctranslate2.converters.transformers", "--model", folder_of(job), "--output_dir",
                                   str(folder), "--quantization", self.weights, "--force"], capture_output=True, text=True)
            if done.returncode != 0:
                raise Absent(f"its converter failed: {done.stderr.strip().splitlines()[-1]}")
        self.generator = ctranslate2.Generator(str(folder), device="cpu", compute_type=self.weights, inter_threads=1,
                                               intra_threads=job["threads"])
        self.words = json.loads((folder / "vocabulary.json").read_text())

    def measure(self, prompt: list, new: int):
        times = []

        def on_token(_) -> bool:
            times.append(time.perf_counter())
            return False

        start = time.perf_counter()
        # With an end token that nothing produces, all `new` tokens come.
        result = self.generator.generate_batch([[self.words[i % len(self.words)] for i in prompt]], max_length=new, min_length=new,
                                               sampling_topk=1, beam_size=1, include_prompt_in_result=False,
                                               callback=on_token)
        if len(result[0].sequences_ids[0]) < new or len(times) < new:
            raise RuntimeError(f"asked for {new} tokens, it wrote {len(result[0].sequences_ids[0])}")
        return times[0] - start, times[-1] - times[0]


if __name__ == "__main__":
    main(Engine)
