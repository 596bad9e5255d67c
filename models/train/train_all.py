"""The whole family, unattended: each step is skipped where its result lies in WORK already, and goes on where it stopped.

    python train_all.py --work WORK --corpus CORPUS [--scale 0.01] [--device cpu] [--threads 2]

tiny -> its text -> draft -> tiny-mha -> moe, each exported to WORK/export and measured to WORK/results; then acceptance and the
n-gram baseline. --scale multiplies all token budgets, to try everything in minutes.
"""
import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
GGUF = {"tiny": "f16", "draft": "f16", "tiny-mha": "q8_0", "moe": "f16"}
GROWN = ("tiny", "moe")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"))
    args.add_argument("--scale", type=float, default=1.0)
    args.add_argument("--grow", type=Path, help="a smaller model's folder that tiny and moe begin from, see grow.py")
    args.add_argument("--no-compile", action="store_true")
    a = args.parse_args()
    export, results = a.work / "export", a.work / "results"
    results.mkdir(parents=True, exist_ok=True)
    # Threads that wait must not spin where other programs want the cores.
    environment = {**os.environ, "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "passive")}

    def step(result: Path, script: str, *arguments) -> None:
        if result.exists():
            return
        print(f"=== {time.strftime('%H:%M:%S')} {script} {' '.join(map(str, arguments))}", flush=True)
        subprocess.run([sys.executable, HERE / script, *map(str, arguments)], check=True, env=environment)

    def finished(name: str) -> Path:
        return results / f"{name}.done"

    def train(name: str) -> None:
        if finished(name).exists():
            return
        more = () if a.no_compile else ("--compile",)
        config = HERE / "configs" / f"{name}.json"
        if a.grow and name in GROWN:
            step(a.work / f"{name}-grown.pt", "grow.py", "--model", a.grow, "--work", a.work, "--config", config)
            more += ("--start", a.work / f"{name}-grown.pt")
        step(finished(name), "train.py", "--work", a.work, "--config", config, "--device", a.device,
             "--threads", a.threads, "--precision", a.precision, "--scale", a.scale, *more)
        step(finished(name), "export.py", "--work", a.work, "--name", name, "--out", export, "--gguf", GGUF[name])
        finished(name).touch()

    def evaluate(name: str) -> None:
        model = export / name if GGUF[name] == "f16" else export / f"{name}.gguf"
        step(results / f"{name}.json", "evaluate.py", "--model", model, "--text", a.corpus / "valid.txt",
             "--threads", a.threads, "--out", results / f"{name}.json")

    step(a.work / "meta.json", "prepare.py", "--corpus", a.corpus, "--out", a.work)
    train("tiny")
    evaluate("tiny")
    if not finished("draft").exists():
        step(finished("own"), "generate.py", "--work", a.work, "--threads", a.threads, "--tokens", int(2_500_000 * a.scale))
        finished("own").touch()
    train("draft")
    evaluate("draft")
    step(results / "acceptance.json", "acceptance.py", "--target", export / "tiny", "--draft", export / "draft",
         "--text", a.corpus / "valid.txt", "--out", results / "acceptance.json")
    train("tiny-mha")
    evaluate("tiny-mha")
    train("moe")
    evaluate("moe")
    step(results / "ngram.json", "ngram.py", "--work", a.work, "--out", results / "ngram.json")
    print(f"=== {time.strftime('%H:%M:%S')} all done; models in {export}, figures in {results}", flush=True)


if __name__ == "__main__":
    main()
