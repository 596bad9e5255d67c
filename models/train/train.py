"""Tokens -> weights: train one model by its configuration file.

    python train.py --work WORK --config configs/tiny.json [--device cpu] [--compile]

WORK is what prepare.py wrote; WORK/NAME (NAME is the configuration's) receives checkpoint.pt, loss.json, loss.svg and
loss.png. The same command goes on from the last checkpoint, exactly: weights, optimizers, and the generator of the
windows.

The schedule counts tokens, so it is the same on every machine. A configuration has phases. In the first the windows
are short, which is cheap; in the last they are a whole context long, and the dialogues join the text. The learning rate is
constant after a warm-up and falls to zero along a line over the last "decay" tokens, or else the last phase. (Constant,
then falling, is as good as a cosine and lets a run be prolonged: arXiv:2405.18392.) "from" in a configuration (or --start)
names the checkpoint that the weights come from, "teacher" the model that they are distilled from (distill.py).
"""
import argparse
import contextlib
import json
import os
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from data import Windows, read_ids
from distill import Distillation, principal_rows
from model import Config, Model
from muon import Muon
from plot_loss import plot

SAVE_EVERY = 180           # seconds
VALIDATE_EVERY = 4_000_000  # tokens


@torch.no_grad()
def validation_nats(model: Model, ids: torch.Tensor, window: int, device: str) -> float:
    """Mean -ln p per token of `ids`, in windows side by side, float32."""
    nats = 0.0
    for x, y in zip(ids[:-1].split(window), ids[1:].split(window)):
        nats += F.cross_entropy(model(x[None].to(device))[0], y.to(device), reduction="sum").item()
    return nats / (len(ids) - 1)


def make_optimizers(model: Model, config: dict, dtype: torch.dtype) -> list[torch.optim.Optimizer]:
    """Muon (muon.py), computed in `dtype`, for the matrices inside the layers: it makes every direction of a matrix's
    update equally large, and learns more from the same tokens. AdamW for the embedding, the router and the norms."""
    inner = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "gate.weight" not in n]
    chosen = {id(p) for p in inner}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    muon = Muon(inner, lr=config["muon_lr"], weight_decay=0.1, dtype=dtype)
    adam = torch.optim.AdamW([{"params": [p for p in rest if p.ndim == 2], "weight_decay": 0.1},
                              {"params": [p for p in rest if p.ndim < 2], "weight_decay": 0.0}],
                             lr=config["adam_lr"], betas=(0.9, 0.95), fused=True)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["full_lr"] = group["lr"]
    return [muon, adam]


class Schedule:
    """Where a number of tokens lies: which phase, and which share of the learning rate."""

    def __init__(self, config: dict, scale: float):
        self.phases, self.warmup = config["phases"], config["warmup_steps"]
        self.ends, total = [], 0
        for phase in self.phases:
            total += int(phase["tokens"] * scale)
            self.ends.append(total)
        self.total = total
        self.decay = int(config.get("decay", self.phases[-1]["tokens"]) * scale)

    def phase(self, tokens: int) -> dict:
        return self.phases[next(i for i, end in enumerate(self.ends) if tokens < end)]

    def rate(self, step: int, tokens: int) -> float:
        fall = min(1.0, (self.total - tokens) / self.decay)
        return min(1.0, (step + 1) / self.warmup) * fall


def start_from(path: Path, c: Config) -> dict[str, torch.Tensor]:
    """The weights at `path`, each KV head copied for as many query heads as it served: the same function, as multi-head
    attention."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=False)
    copies = c.kv_heads // checkpoint["shape"]["kv_heads"]
    weights = checkpoint["model"]
    for name, w in weights.items():
        if name.endswith(("k_proj.weight", "v_proj.weight")) and copies > 1:
            heads = w.view(-1, c.head_dim, c.dim)
            weights[name] = heads.repeat_interleave(copies, dim=0).reshape(-1, c.dim)
    return weights


def teacher_path(a: argparse.Namespace, config: dict) -> Path:
    return a.teacher or a.work / config["teacher"]


class Run:
    """The state of a training: everything that a checkpoint holds."""

    def __init__(self, a: argparse.Namespace):
        self.a, self.config = a, json.loads(a.config.read_text())
        self.folder = a.work / a.config.stem
        self.folder.mkdir(parents=True, exist_ok=True)
        self.saved = self.folder / "checkpoint.pt"
        torch.manual_seed(self.config["seed"])
        self.model = Model(Config(**self.config["model"])).to(a.device)
        self.step, self.tokens, self.seconds, self.done = 0, 0, 0.0, False
        self.history = {"train": [], "valid": []}
        self.schedule = Schedule(self.config, a.scale)
        self.windows = Windows(a.work, max(p["window"] for p in self.config["phases"]), self.config["seed"])
        start = a.start or ("from" in self.config and a.work / self.config["from"])
        if not self.saved.exists() and start:
            self.model.load_state_dict(start_from(start, self.model.config))
        elif not self.saved.exists() and "teacher" in self.config:
            teacher = torch.load(teacher_path(a, self.config), map_location=a.device, weights_only=False)["model"]
            with torch.no_grad():
                self.model.embed_tokens.weight.copy_(
                    principal_rows(teacher["embed_tokens.weight"], self.model.config.dim))
        self.optimizers = make_optimizers(self.model, self.config, torch.bfloat16 if a.precision == "bf16" else torch.float32)
        if self.saved.exists():
            self.load()

    def load(self) -> None:
        c = torch.load(self.saved, map_location=self.a.device, weights_only=False)
        self.model.load_state_dict(c["model"])
        for optimizer, state in zip(self.optimizers, c["optimizers"]):
            optimizer.load_state_dict(state)
        self.windows.rng.bit_generator.state = c["windows"]
        torch.set_rng_state(c["rng"].cpu())
        for name in ("step", "tokens", "seconds", "done", "history"):
            setattr(self, name, c[name])
        print(f"goes on from step {self.step}, {self.tokens / 1e6:.2f} M tokens", flush=True)

    def save(self, name: str = "checkpoint.pt") -> None:
        c = {"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers],
             "windows": self.windows.rng.bit_generator.state, "rng": torch.get_rng_state(),
             "shape": self.model.config.dict(), "config": self.config,
             **{name: getattr(self, name) for name in ("step", "tokens", "seconds", "done", "history")}}
        torch.save(c, self.folder / "unfinished")
        os.replace(self.folder / "unfinished", self.folder / name)  # a file under this name is always whole
        (self.folder / "loss.json").write_text(json.dumps({"seconds": round(self.seconds), "steps": self.step,
                                                           "tokens": self.tokens, "scale": self.a.scale,
                                                           "precision": self.a.precision, **self.history}) + "\n")

    def validate(self) -> None:
        """Whole windows of this phase's length; the last look is the one at the whole context."""
        phase = self.config["phases"][-1] if self.done else self.schedule.phase(self.tokens)
        ids = torch.from_numpy(read_ids(self.a.work / "valid.bin").astype("int64"))
        nats = validation_nats(self.model, ids if self.done else ids[:32_769], phase["window"], self.a.device)
        self.history["valid"].append({"step": self.step, "tokens": self.tokens, "loss": round(nats, 4)})
        print(f"step {self.step:5d}  valid {nats:.4f} ({'all' if self.done else 'its first 32,768 tokens'}, "
              f"windows of {phase['window']})", flush=True)


def has_bfloat16(device: str) -> bool:
    """Without such instructions a product in bfloat16 is emulated, hundreds of times slower than in float32."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def make_loss(run: Run):
    """-> a function (inputs, targets) -> (what is minimized, nats per token)"""
    if "teacher" in run.config:
        return Distillation(teacher_path(run.a, run.config), run.config, run.model, run.a.device)

    def cross_entropy(x: torch.Tensor, y: torch.Tensor):
        nats = F.cross_entropy(run.model(x).flatten(0, 1).float(), y.flatten())
        extra = run.config["balance"] * run.model.balance_loss() if run.model.config.experts else 0.0
        return nats + extra, nats
    return cross_entropy


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--config", type=Path, required=True)
    args.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--precision", default="auto", choices=("auto", "bf16", "fp32"),
                      help="of the matrix products; auto: bf16 where the device has instructions for it")
    args.add_argument("--start", type=Path, help="weights to begin with instead of random ones, e.g. from grow.py")
    args.add_argument("--teacher", type=Path, help="instead of the configuration's, e.g. from grow.py, which reads folders too")
    args.add_argument("--compile", action="store_true", help="needs a C++ compiler")
    args.add_argument("--scale", type=float, default=1.0, help="multiplies every phase's tokens, for a quick try")
    args.add_argument("--steps", type=int, default=1 << 60, help="stop after so many steps, with a checkpoint")
    a = args.parse_args()
    torch.set_num_threads(a.threads)
    if a.precision == "auto":
        a.precision = "bf16" if has_bfloat16(a.device) else "fp32"
    print(f"matrix products in {a.precision}", flush=True)
    run = Run(a)
    last_step = run.step + a.steps
    if run.done:
        print(f"{run.folder}: is complete")
        return

    compute = make_loss(run)
    if a.compile:
        compute = torch.compile(compute, dynamic=False)
    cast = torch.autocast(a.device, dtype=torch.bfloat16) if a.precision == "bf16" else contextlib.nullcontext()
    clock, saved_at, running, since = time.monotonic(), time.monotonic(), [], (time.monotonic(), run.tokens)
    while run.tokens < run.schedule.total and run.step < last_step:
        phase = run.schedule.phase(run.tokens)
        rate = run.schedule.rate(run.step, run.tokens)
        for optimizer in run.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full_lr"] * rate
            optimizer.zero_grad(set_to_none=True)
        batch = run.windows.draw(phase["mixture"], phase["batch"], phase["window"]).to(a.device)
        with cast:
            loss, nats = compute(batch[:, :-1], batch[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
        for optimizer in run.optimizers:
            optimizer.step()
        before, run.step = run.tokens, run.step + 1
        run.tokens += phase["batch"] * phase["window"]
        running.append(nats.item())
        now = time.monotonic()
        run.seconds, clock = run.seconds + now - clock, now

        if run.step % 25 == 0:
            mean, running = sum(running) / len(running), []
            speed, since = (run.tokens - since[1]) / (now - since[0]), (now, run.tokens)
            run.history["train"].append({"step": run.step, "tokens": run.tokens, "loss": round(mean, 4)})
            load = f"  busiest expert {run.model.expert_load().max():.2f}" if run.model.config.experts else ""
            print(f"step {run.step:5d}  {100 * run.tokens / run.schedule.total:5.1f} %  {run.tokens / 1e6:6.2f} M tokens  "
                  f"loss {mean:.4f}  {speed:6.0f} tokens/s{load}", flush=True)
        if before // VALIDATE_EVERY != run.tokens // VALIDATE_EVERY and run.tokens < run.schedule.total:
            run.validate()
        if run.tokens < run.schedule.total and run.schedule.phase(run.tokens) is not phase:
            run.save(f"phase-{run.schedule.phases.index(phase) + 1}.pt")  # where tiny-mha sets out from
        if now - saved_at > SAVE_EVERY:
            run.save()
            saved_at = now
    run.done = run.tokens >= run.schedule.total
    if not run.done:
        run.save()
        return
    run.validate()
    run.save()
    plot(run.history, run.folder / "loss")


if __name__ == "__main__":
    main()
