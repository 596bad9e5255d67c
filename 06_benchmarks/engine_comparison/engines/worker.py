"""What all adapters share: a process per engine that answers requests, one JSON document per line.

An adapter is a file with one class:

    class Engine:
        def probe() -> str                 # static: the engine's version; raises Absent("why") where it cannot run
        def __init__(self, job)            # loads the model; sets self.weights, what the weights are stored as
        def measure(self, prompt, new)     # -> seconds to the first new token, seconds for the other new - 1

and, where the engine can decode several sequences in one step,

        def measure_batch(sequences, new)  # -> seconds in which all of them together get `new` tokens each, after one token

and the two lines that hand the class to main(). `job` is a dict: gguf and hf (the same weights as a GGUF file and as a Hugging
Face folder), type (the GGUF's format), threads, ctx, vocab, and work, a folder for converted weights. prompt is a list of token
ids. The engine must write exactly `new` tokens, greedily, and may not reuse what it remembers of an earlier prompt.
"""
import json
import os
import resource
import sys


class Absent(Exception):
    """The engine is not installed, or cannot run this model; says why."""


def folder_of(job: dict) -> str:
    """The Hugging Face folder, for engines that read nothing else."""
    if not job["hf"]:
        raise Absent("it reads Hugging Face folders, and this file was taken as it is")
    return job["hf"]


def _answer(out, **fields) -> None:
    out.write(json.dumps(fields) + "\n")
    out.flush()


def main(engine_class) -> None:
    # Libraries print to standard output whatever they like; the protocol keeps the real one to itself.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    engine = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "probe":
                _answer(out, version=engine_class.probe())
            elif request["do"] == "load":
                engine = engine_class(request["job"])
                _answer(out, weights=engine.weights)
            elif request["do"] == "measure":
                first, rest = engine.measure(request["prompt"], request["new"])
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
                _answer(out, first_s=first, rest_s=rest, peak_rss_bytes=getattr(engine, "peak_rss_bytes", peak))
            elif request["do"] == "measure_batch":
                if not hasattr(engine, "measure_batch"):
                    _answer(out, unable=True)
                    continue
                seconds = engine.measure_batch(request["sequences"], request["new"])
                _answer(out, seconds=seconds)
            else:
                raise ValueError(f"unknown request {request['do']}")
        except Absent as reason:
            _answer(out, absent=str(reason))
        except Exception as error:  # the driver names the engine and goes on with the others
            _answer(out, error=f"{type(error).__name__}: {error}")
