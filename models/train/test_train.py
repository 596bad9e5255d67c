"""Checks of the training itself, on random tokens and models of a few thousand weights: seconds.

    python test_train.py
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from data import Windows
from model import Config, Model
from train import Schedule, start_from

HERE = Path(__file__).parent
SHAPE = {"vocab": 50, "dim": 16, "layers": 2, "heads": 2, "kv_heads": 1, "head_dim": 8, "ffn": 32, "context": 32}
MIXTURE = {"simple": 0.5, "tales": 0.5}
TRAINING = {"seed": 1, "muon_lr": 0.01, "adam_lr": 0.01, "warmup_steps": 2,
            "phases": [{"tokens": 384, "window": 16, "batch": 4, "mixture": MIXTURE},
                       {"tokens": 384, "window": 32, "batch": 2, "mixture": MIXTURE}]}


def make_work(work: Path) -> None:
    ids = np.random.default_rng(1).integers(4, 50, 4000).astype(np.uint16)
    ids[::40] = 0
    ids.tofile(work / "train.bin")
    ids[:200].tofile(work / "valid.bin")
    groups = {"simple": {"begin": 0, "end": 2000}, "tales": {"begin": 2000, "end": 4000}}
    (work / "meta.json").write_text(json.dumps({"groups": groups}))


def train(work: Path, config: Path, *more: str) -> dict:
    subprocess.run([sys.executable, HERE / "train.py", "--work", work, "--config", config, "--precision", "fp32",
                    "--threads", "1", *more], check=True, stdout=subprocess.DEVNULL)
    return torch.load(work / config.stem / "checkpoint.pt", weights_only=False)


def same(a: dict, b: dict) -> bool:
    return all(torch.equal(a["model"][n], b["model"][n]) for n in a["model"])


def test_resume(work: Path) -> None:
    """Stopped and started again, also across the change of phase, a run gives the same weights bit for bit."""
    for name, shape in (("dense", SHAPE), ("experts", {**SHAPE, "experts": 4, "ffn": 16})):
        straight, broken = work / f"{name}-straight.json", work / f"{name}-broken.json"
        for path in (straight, broken):
            path.write_text(json.dumps({**TRAINING, "model": shape, "balance": 0.02}))
        whole = train(work, straight)
        assert whole["done"] and whole["step"] == 12 and whole["tokens"] == 768
        parts = [train(work, broken, "--steps", n) for n in ("5", "3")]
        assert not same(parts[0], whole) and not parts[1]["done"]
        assert same(train(work, broken), whole), name
        assert (work / broken.stem / "phase-1.pt").exists()


def test_copied_heads(work: Path) -> None:
    """Multi-head attention whose KV heads are copies computes what grouped-query attention did."""
    torch.manual_seed(1)
    grouped = Model(Config(**SHAPE)).eval()
    torch.save({"shape": SHAPE, "model": grouped.state_dict()}, work / "grouped.pt")
    full = Model(Config(**{**SHAPE, "kv_heads": 2})).eval()
    full.load_state_dict(start_from(work / "grouped.pt", full.config))
    ids = torch.randint(0, 50, (2, 32))
    with torch.no_grad():
        expected = grouped(ids)
        assert expected.abs().max() > 0.05 and torch.allclose(full(ids), expected, atol=1e-6)


def test_experts() -> None:
    """The sorted, batched experts against the definition, token by token."""
    torch.manual_seed(1)
    moe = Model(Config(**{**SHAPE, "experts": 5, "experts_per_token": 3})).layers[0].block_sparse_moe
    for p in moe.parameters():
        torch.nn.init.normal_(p, std=0.3)
    x = torch.randn(2, 7, 16)
    with torch.no_grad():
        out = moe(x)
        for b in range(2):
            for t in range(7):
                best = moe.gate(x[b, t]).topk(3)
                expected = sum(w * moe.experts[e](x[b, t]) for w, e in zip(best.values.softmax(-1), best.indices))
                assert torch.allclose(out[b, t], expected, atol=1e-5)
    assert moe.share.sum().isclose(torch.tensor(1.0)) and moe.balance_loss >= 0.9


def test_windows(work: Path) -> None:
    """Targets are the inputs, one further; and every window lies in its group."""
    windows = Windows(work, 32, seed=3)
    batch = windows.draw({"simple": 1.0}, 50, 32)
    text = windows.ids[:2000].astype(np.int64)
    for row in batch.numpy():
        assert any(np.array_equal(row, text[i : i + 33]) for i in range(2000 - 32))


def test_schedule() -> None:
    s = Schedule(TRAINING, 1.0)
    assert s.rate(0, 0) == 0.5 and s.rate(5, 300) == 1.0 and s.rate(9, 576) == 0.5
    assert s.phase(383)["window"] == 16 and s.phase(384)["window"] == 32


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_work(work)
        test_schedule()
        test_windows(work)
        test_experts()
        test_copied_heads(work)
        test_resume(work)
    print("all passed")


if __name__ == "__main__":
    main()
