"""Your adapter: an engine of your choice. worker.py says what the class must have; the other files are examples.

1. probe(): import the engine, return its name and version; Absent("why") where that fails.
2. __init__: load job["gguf"] or job["hf"] with job["threads"] threads; say in self.weights what the weights became.
3. measure(): run the prompt, take the time at the first new token, write exactly `new` tokens, take the time again.
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
