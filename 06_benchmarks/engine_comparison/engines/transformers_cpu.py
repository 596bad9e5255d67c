"""transformers with PyTorch, on the CPU: the reference implementation of every model."""
import time

from worker import Absent, folder_of, main

# GGUF formats have no counterpart here; what is quantized runs in the dtype of its scales' arithmetic, float32.
DTYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}


class Engine:
    @staticmethod
    def probe() -> str:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise Absent(f"the package {error.name} is not installed") from None
        return f"transformers {transformers.__version__}, torch {torch.__version__}"

    def __init__(self, job: dict):
        import torch
        from transformers import AutoModelForCausalLM
        if job["type"] not in DTYPES:
            raise Absent(f"it has no weights in {job['type']}")
        torch.set_num_threads(job["threads"])
        self.torch, self.weights = torch, DTYPES[job["type"]]
        self.model = AutoModelForCausalLM.from_pretrained(folder_of(job), dtype=getattr(torch, self.weights)).eval()

    def measure(self, prompt: list, new: int):
        torch = self.torch
        with torch.inference_mode():
            start = time.perf_counter()
            out = self.model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
            token = out.logits[:, -1:].argmax(-1)
            first = time.perf_counter() - start
            for _ in range(new - 1):
                out = self.model(token, past_key_values=out.past_key_values, use_cache=True)
                token = out.logits[:, -1:].argmax(-1)
            return first, time.perf_counter() - start - first


if __name__ == "__main__":
    main(Engine)
