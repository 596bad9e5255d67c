"""OpenVINO GenAI: reads the GGUF file itself (f16, q8_0, q4_0, q4_1, q4_k_m)."""
from worker import Absent, main


class Engine:
    @staticmethod
    def probe() -> str:
        try:
            import openvino_genai
        except ImportError as error:
            raise Absent(f"the package openvino-genai is not installed ({error})") from None
        return f"openvino-genai {openvino_genai.__version__}"

    def __init__(self, job: dict):
        import numpy
        import openvino
        import openvino_genai
        if job["type"] not in ("f16", "q8_0", "q4_0", "q4_1", "q4_k_m"):
            raise Absent(f"its GGUF reader does not know {job['type']}")
        self.weights, self.numpy, self.openvino, self.genai = job["type"], numpy, openvino, openvino_genai
        self.pipe = openvino_genai.LLMPipeline(job["gguf"], "CPU", INFERENCE_NUM_THREADS=job["threads"])

    def measure(self, prompt: list, new: int):
        config = self.genai.GenerationConfig()
        config.max_new_tokens = config.min_new_tokens = new
        config.ignore_eos, config.do_sample = True, False
        ids = self.openvino.Tensor(self.numpy.array([prompt], dtype=self.numpy.int64))
        metrics = self.pipe.generate(ids, config).perf_metrics
        first = metrics.get_ttft().mean / 1e3
        return first, metrics.get_generate_duration().mean / 1e3 - first


if __name__ == "__main__":
    main(Engine)
