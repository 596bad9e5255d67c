"""Tokens -> weights: train the model for a given number of minutes.

    python train.py --work WORK --minutes 55 --device cpu

WORK is what prepare.py wrote. The clock is the schedule: the learning rate warms up, then falls along
a cosine to zero at the last minute, however fast the machine is. Until SHORT_UNTIL the windows are half
a context long: attention costs half, and there is more to learn near by than far away. WORK receives checkpoint.pt (stopping
and starting again goes on from it, clock included), loss.json and loss.png.
"""
import argparse
import contextlib
import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from model import Config, Llama

# Share of the training windows drawn from each group. By size alone novels would be half; a model this
# small writes better from plain stories.
MIXTURE = {"simple": 0.15, "tales": 0.65, "novels": 0.20}
FROM_BEGINNING = 0.20  # share of simple and tales windows that begin where a document begins

SHORT_UNTIL = 0.6      # share of the minutes
SAVE_EVERY, VALIDATE_EVERY = 120, 1200  # seconds


class Windows:
    """Draws batches of windows from train.bin; its state is one numpy generator."""

    def __init__(self, work: Path, longest: int, seed: int):
        self.ids = np.fromfile(work / "train.bin", dtype=np.uint16)
        self.groups = json.loads((work / "meta.json").read_text())["groups"]
        self.rng = np.random.default_rng(seed)
        starts = np.flatnonzero(self.ids == 0)
        self.starts = {n: starts[(starts >= g["begin"]) & (starts < g["end"] - longest)]
                       for n, g in self.groups.items()}

    def draw(self, batch: int, length: int) -> torch.Tensor:
        """-> [batch, length + 1] ids: the inputs and, one further, the targets"""
        rows = []
        for name in self.rng.choice(list(MIXTURE), size=batch, p=list(MIXTURE.values())):
            g = self.groups[name]
            if name != "novels" and self.rng.random() < FROM_BEGINNING:
                at = self.rng.choice(self.starts[name])
            else:
                at = self.rng.integers(g["begin"], g["end"] - length)
            rows.append(self.ids[at : at + length + 1])
        return torch.from_numpy(np.stack(rows).astype(np.int64))


@torch.no_grad()
def validation_nats(model: Llama, work: Path, device: str) -> tuple[float, int]:
    """Sum of -ln p over valid.bin, in windows of one context side by side, float32."""
    ids = torch.from_numpy(np.fromfile(work / "valid.bin", dtype=np.uint16).astype(np.int64))
    length, nats = model.config.context, 0.0
    for x, y in zip(ids[:-1].split(length), ids[1:].split(length)):
        logits = model(x[None].to(device))[0]
        nats += F.cross_entropy(logits, y.to(device), reduction="sum").item()
    return nats, len(ids) - 1


def plot(history: dict, path: Path) -> None:
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    fig, axis = plt.subplots(figsize=(6, 3.4), dpi=90)
    axis.plot([p["tokens"] / 1e6 for p in history["train"]], [p["loss"] for p in history["train"]],
              lw=0.8, label="train (mixture)")
    axis.plot([p["tokens"] / 1e6 for p in history["valid"]], [p["loss"] for p in history["valid"]],
              "o-", ms=3, lw=1.2, label="valid.txt")
    axis.set(xlabel="million tokens seen", ylabel="nats per token", ylim=(2, 6))
    axis.grid(alpha=0.3)
    axis.legend()
    fig.tight_layout()
    fig.savefig(path)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--minutes", type=float, default=55)
    args.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--batch", type=int, default=16)
    args.add_argument("--lr", type=float, default=3e-3)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--precision", default="bf16", choices=("bf16", "fp32"))
    args.add_argument("--compile", action="store_true")
    a = args.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)

    model = Llama(Config()).to(a.device)
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1},
                                   {"params": vectors, "weight_decay": 0.0}], betas=(0.9, 0.95), fused=True)
    windows = Windows(a.work, model.config.context, a.seed)
    step, tokens, spent, history = 0, 0, 0.0, {"train": [], "valid": []}

    saved = a.work / "checkpoint.pt"
    if saved.exists():
        c = torch.load(saved, map_location=a.device, weights_only=False)
        model.load_state_dict(c["model"])
        optimizer.load_state_dict(c["optimizer"])
        windows.rng.bit_generator.state = c["rng"]
        step, tokens, spent, history = c["step"], c["tokens"], c["spent"], c["history"]
        print(f"goes on from step {step}, {spent / 60:.1f} minutes spent", flush=True)

    def save() -> None:
        c = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "config": model.config.dict(),
             "rng": windows.rng.bit_generator.state, "step": step, "tokens": tokens, "spent": spent,
             "history": history, "arguments": {k: str(v) for k, v in vars(a).items() if k != "work"}}
        torch.save(c, saved.with_suffix(".tmp"))
        os.replace(saved.with_suffix(".tmp"), saved)
        (a.work / "loss.json").write_text(json.dumps(history) + "\n")

    def validate() -> None:
        nats, count = validation_nats(model, a.work, a.device)
        history["valid"].append({"step": step, "tokens": tokens, "loss": round(nats / count, 4)})
        print(f"step {step:5d}  valid {nats / count:.4f}", flush=True)

    def forward_loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(model(x).flatten(0, 1).float(), y.flatten())

    run = torch.compile(forward_loss, dynamic=False) if a.compile else forward_loss
    cast = (torch.autocast(a.device, dtype=torch.bfloat16) if a.precision == "bf16" else contextlib.nullcontext())
    budget, clock, running, since = a.minutes * 60, time.monotonic(), [], (time.monotonic(), tokens)
    next_save, next_valid = spent + SAVE_EVERY, spent + (VALIDATE_EVERY if step else 0)
    while True:
        now = time.monotonic()
        spent, clock = spent + now - clock, now
        done = spent / budget
        if done >= 1:
            break
        warm = min(1.0, (step + 1) / 200)
        for group in optimizer.param_groups:
            group["lr"] = a.lr * warm * 0.5 * (1 + math.cos(math.pi * done))
        length = model.config.context // (2 if done < SHORT_UNTIL else 1)
        batch = windows.draw(a.batch, length).to(a.device)
        with cast:
            loss = run(batch[:, :-1], batch[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step, tokens = step + 1, tokens + a.batch * length
        running.append(loss.item())

        if step % 25 == 0:
            mean, running = sum(running) / len(running), []
            rate = (tokens - since[1]) / (time.monotonic() - since[0])
            since = (time.monotonic(), tokens)
            history["train"].append({"step": step, "tokens": tokens, "loss": round(mean, 4)})
            print(f"step {step:5d}  {100 * done:5.1f} %  {tokens / 1e6:6.2f} M tokens  loss {mean:.4f}  "
                  f"{rate:7.0f} tokens/s", flush=True)
        if spent >= next_save:
            save()
            next_save = spent + SAVE_EVERY
        if spent >= next_valid and step > 1:
            validate()
            next_valid = spent + VALIDATE_EVERY
            since = (time.monotonic(), tokens)
    save()  # before the last look at valid.txt, so that the weights can be exported meanwhile
    validate()
    save()
    plot(history, a.work / "loss.png")


if __name__ == "__main__":
    main()
