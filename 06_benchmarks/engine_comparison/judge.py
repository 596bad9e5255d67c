#!/usr/bin/env python3
"""Judges one adapter: judge.py RUNG [FILE]. Without FILE engines/mine.py. Exit status 77: not started."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import compare


def judge(rung: str, file: Path) -> str:
    """-> "" when all is well, else a sentence; raises LookupError with the reason when the engine is absent."""
    models = Path(__file__).resolve().parent.parent.parent / "models"
    environment = {**os.environ, "RUNG": rung, "PYTHONPATH": str(compare.HERE / "engines"), "OMP_WAIT_POLICY": "passive"}
    with tempfile.TemporaryDirectory() as work:
        gguf = Path(work) / "tiny-q8_0.gguf"
        subprocess.run([rung, "quantize", str(models / "tiny.gguf"), str(gguf), "--type", "q8_0"], check=True, capture_output=True)
        worker = compare.Worker(file, environment)
        try:
            job = {"gguf": str(gguf), "hf": str(models / "tiny"), "type": "q8_0", "threads": 1, "vocab": 4096, "ctx": 320, "work": work}
            for request, wanted in (({"do": "probe"}, "version"), ({"do": "load", "job": job}, "weights")):
                answer = worker.ask(**request)
                if "absent" in answer:
                    raise LookupError(answer["absent"])
                if not answer.get(wanted):
                    return f"{request['do']} gave no {wanted}: {answer}"
            took = {}
            for prompt, new in ((256, 1), (1, 9), (1, 200)):
                answers = [worker.ask(do="measure", prompt=list(range(5, 5 + prompt)), new=new) for _ in range(4)]
                bad = next((a for a in answers if "first_s" not in a), None)
                if bad is not None:
                    return f"measure({prompt} tokens, {new} new) failed: {bad}"
                took[new] = sorted(a["first_s" if new == 1 else "rest_s"] for a in answers[1:])[1]
            if not all(0 < s < 600 for s in took.values()):
                return f"seconds that cannot be: {took}"
            if took[200] < 4 * took[9]:
                return f"199 tokens took {took[200]:.4f} s and 8 took {took[9]:.4f} s: it does not write as many as it is asked for"
            return ""
        finally:
            worker.close()


def main() -> None:
    file = Path(sys.argv[2]) if len(sys.argv) > 2 else compare.HERE / "engines" / "mine.py"
    try:
        verdict = judge(sys.argv[1], file)
    except LookupError as reason:
        print(f"{file.name}: {reason}")
        sys.exit(77)
    print(f"{file.name}: {verdict or 'keeps the protocol'}")
    sys.exit(1 if verdict else 0)


if __name__ == "__main__":
    main()
