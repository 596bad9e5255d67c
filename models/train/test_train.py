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
from tokenizers import Tokenizer, models

from data import Windows
from grow import grow_embedding, grow_layers, old_layer
from model import Config, Model
from muon import Muon, orthogonal
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


def test_orthogonal() -> None:
    """Newton-Schulz brings all singular values near 1 and keeps the directions; a step is the published one."""
    torch.manual_seed(1)
    for shape in ((24, 40), (40, 24)):
        g = torch.randn(shape)
        u, _, vt = torch.linalg.svd(g, full_matrices=False)
        ours = orthogonal(g, torch.float32)
        assert torch.linalg.svdvals(ours).sub(1).abs().max() < 0.35
        assert (ours * (u @ vt)).sum() / (ours.norm() * (u @ vt).norm()) > 0.97
    ours, theirs = (torch.nn.Parameter(torch.ones(24, 40)) for _ in range(2))
    steps = (Muon([ours], 0.01, 0.1, torch.float32),
             torch.optim.Muon([theirs], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"))
    for _ in range(3):
        ours.grad = torch.randn(24, 40)
        theirs.grad = ours.grad.clone()
        for s in steps:
            s.step()
    assert (ours - theirs).abs().max() < 0.02 * (theirs - 1).abs().max()  # theirs is computed in bfloat16


def test_grow() -> None:
    """More layers and more columns compute the same; experts begin as parts of the feed-forward layer."""
    torch.manual_seed(1)
    small = Model(Config(**SHAPE)).eval()
    large = Model(Config(**{**SHAPE, "layers": 3, "ffn": 48})).eval()
    assert [old_layer(i, 4, 6) for i in range(6)] == [(0, True), (0, False), (1, True), (2, True), (2, False), (3, True)]
    grown = grow_layers(small.state_dict(), 2, large)
    grown["embed_tokens.weight"] = small.embed_tokens.weight
    large.load_state_dict(grown)
    ids = torch.randint(0, 50, (2, 32))
    with torch.no_grad():
        assert torch.allclose(large(ids), small(ids), atol=1e-6)
    # Two experts of full width, each with the last matrix doubled, weighted by half: their sum is twice the layer.
    moe = Model(Config(**{**SHAPE, "experts": 2}))
    moe.load_state_dict(grow_layers(small.state_dict(), 2, moe))
    torch.nn.init.zeros_(moe.layers[1].block_sparse_moe.gate.weight)
    x = torch.randn(1, 5, 16)
    with torch.no_grad():
        assert torch.allclose(moe.layers[1].block_sparse_moe(x), 2 * small.layers[1].mlp(x), atol=1e-6)


def test_grow_embedding() -> None:
    """"abc" of the new vocabulary begins as the mean of the old "ab" and "c"."""
    def bpe(*tokens: str, merges: list[tuple[str, str]]) -> Tokenizer:
        return Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    old = bpe("a", "b", "c", "ab", merges=[("a", "b")])
    new = bpe("<|user|>", "c", "b", "a", "ab", "abc", merges=[("a", "b"), ("ab", "c")])
    rows, fresh = torch.eye(4), torch.full((6, 4), 7.0)
    expected = torch.stack([fresh[0], rows[2], rows[1], rows[0], rows[3], (rows[3] + rows[2]) / 2])
    assert torch.equal(grow_embedding(rows, old, new, fresh), expected)


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
    longer = Schedule({**TRAINING, "decay": 576}, 1.0)
    assert longer.rate(5, 192) == 1.0 and longer.rate(9, 480) == 0.5 and longer.rate(9, 768) == 0.0
    assert s.phase(383)["window"] == 16 and s.phase(384)["window"] == 32


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make_work(work)
        test_schedule()
        test_windows(work)
        test_orthogonal()
        test_grow()
        test_grow_embedding()
        test_experts()
        test_copied_heads(work)
        test_resume(work)
    print("all passed")


if __name__ == "__main__":
    main()
