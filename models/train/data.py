"""Batches of windows from the token files of prepare.py."""
import json
from pathlib import Path

import numpy as np
import torch

FROM_BEGINNING = 0.20  # share of simple and tales windows that begin where a document begins
ALWAYS_FROM_BEGINNING = {"dialogues", "own"}


def read_ids(path: Path) -> np.ndarray:
    return np.fromfile(path, dtype=np.uint16)


class Windows:
    """Draws windows at random places; its state is one numpy generator."""

    def __init__(self, work: Path, longest: int, seed: int):
        self.ids = read_ids(work / "train.bin")
        self.groups = json.loads((work / "meta.json").read_text())["groups"]
        if (work / "own.bin").exists():  # what tiny wrote, see generate.py
            own = read_ids(work / "own.bin")
            self.groups["own"] = {"begin": len(self.ids), "end": len(self.ids) + len(own)}
            self.ids = np.concatenate([self.ids, own])
        self.rng = np.random.default_rng(seed)
        starts = np.flatnonzero(self.ids == 0)
        self.starts = {n: starts[(starts >= g["begin"]) & (starts < g["end"] - longest)]
                       for n, g in self.groups.items()}

    def draw(self, mixture: dict[str, float], batch: int, length: int) -> torch.Tensor:
        """-> [batch, length + 1] ids: the inputs and, one further, the targets. `mixture`: share of each group"""
        rows = []
        for name in self.rng.choice(list(mixture), size=batch, p=list(mixture.values())):
            g = self.groups[name]
            if name in ALWAYS_FROM_BEGINNING or (name != "novels" and self.rng.random() < FROM_BEGINNING):
                at = self.rng.choice(self.starts[name])
            else:
                at = self.rng.integers(g["begin"], g["end"] - length)
            rows.append(self.ids[at : at + length + 1])
        return torch.from_numpy(np.stack(rows).astype(np.int64))
