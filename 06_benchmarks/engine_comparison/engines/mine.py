"""Your adapter for an engine of your choice. worker.py describes the class, and the other files are examples.

1. probe(): imports the engine and returns its name and version. Raises Absent("why") if that fails.
2. __init__: loads job["gguf"] or job["hf"] with job["threads"] threads. Sets self.weights to the format of the weights.
3. measure(): computes the prompt, takes the time at the first new token, generates exactly `new` tokens in total, and takes
   the time again.
"""
from worker import Absent, main


class Engine:
    @staticmethod
    def probe() -> str:
        raise Absent("engines/mine.py is not started")

    def __init__(self, job: dict):
        self.weights = job["type"]

    def measure(self, prompt: list, new: int):
        raise NotImplementedError


if __name__ == "__main__":
    main(Engine)
