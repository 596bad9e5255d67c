"""What counting alone achieves: an interpolated modified Kneser-Ney n-gram model on the same tokens.

    python ngram.py --work WORK [--orders 6] [--out ngram.json]

Fitted to the text in WORK/train.bin (without the dialogues, which repeat it), judged on valid.bin as the models are: every
token but the very first is predicted once. It prints bits per byte for each order, so that the best is chosen in the
n-gram's favor. Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1999, section 3:
an n-gram's count is lowered by D1, D2 or D3+ for counts of 1, 2, or more; what that frees goes to the next lower order, whose
counts are how many different tokens were seen before it. Below one token lies 1 / vocabulary.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np


class Level:
    """All n-grams of one length: their keys, sorted; the place in `keys` is an n-gram's id."""

    def __init__(self, keys: np.ndarray):
        self.keys, self.first, ids, self.counts = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True)
        self.ids = ids.astype(np.int32)  # of the n-gram that ends at each position

    def find(self, keys: np.ndarray) -> np.ndarray:
        """-> ids; -1 for what training never showed"""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)


def discounts(counts: np.ndarray) -> np.ndarray:
    """-> what is taken from a count of 0, 1, 2, 3 and more (equations 17 of Chen and Goodman)"""
    n1, n2, n3, n4 = (max(int(np.count_nonzero(counts == c)), 1) for c in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    return np.clip([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3], 0.0, [0, 1, 2, 3])


def mix(counts: np.ndarray, contexts: np.ndarray, found: np.ndarray, context: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """One step of the interpolation.

    counts [n-grams], contexts [n-grams] id of what precedes its last token; found, context [positions] the ids that the
    text to be judged has there, or -1; lower [positions] the probability by the next lower order.
    """
    d = discounts(counts)
    taken = d[np.minimum(counts, 3)]
    total = np.bincount(contexts, weights=counts)
    freed = np.bincount(contexts, weights=taken)
    known = (context >= 0) & (context < len(total))
    known[known] = total[context[known]] > 0
    p = lower.copy()
    own = np.where(found >= 0, counts[found] - taken[found], 0.0)
    p[known] = (own[known] + freed[context[known]] * lower[known]) / total[context[known]]
    return p


def probabilities(train: np.ndarray, valid: np.ndarray, vocab: int, highest: int):
    """Yields, for the orders 1, 2, ... `highest`, the probability of every token of `valid` but the first."""
    lower = np.full(len(valid), 1.0 / vocab)
    level, found = Level(train.astype(np.int64)), valid.astype(np.int64)
    found = level.find(found)
    contexts, context = np.zeros(len(level.keys), np.int64), np.zeros(len(valid), np.int64)
    for order in range(1, highest + 1):
        # The n-gram that ends at position i is the (n-1)-gram that ends at i - 1, and the token at i.
        longer = Level(level.ids[:-1].astype(np.int64) * vocab + train[order:])
        yield mix(level.counts, contexts, found, context, lower)[1:]
        seen_before = np.bincount(level.ids[1:][longer.first], minlength=len(level.keys))
        lower = mix(seen_before, contexts, found, context, lower)
        previous = np.concatenate([[-1], found[:-1]])
        context = previous
        found = np.where(previous >= 0, longer.find(previous * vocab + valid), -1)
        contexts = longer.keys // vocab
        level = longer


def self_test() -> None:
    """Given any history, the probabilities of all tokens add up to one; and text that repeats becomes cheap."""
    rng = np.random.default_rng(1)
    train = rng.integers(0, 5, 400)
    for order in range(1, 5):
        sums = []
        for history in ([0, 1, 2], [4, 4, 4], [3, 0, 1]):
            texts = [np.array([*history, w]) for w in range(5)]
            sums.append(sum(list(probabilities(train, t, 5, order))[-1][-1] for t in texts))
        assert np.allclose(sums, 1.0), (order, sums)
    cycle = np.tile(np.arange(5), 80)
    *_, p = probabilities(cycle, np.tile(np.arange(5), 4), 5, 3)
    assert p[3:].min() > 0.9, p
    print("self-test passed")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path)
    args.add_argument("--orders", type=int, default=6)
    args.add_argument("--out", type=Path)
    args.add_argument("--self-test", action="store_true")
    a = args.parse_args()
    if a.self_test:
        self_test()
        return
    if a.work is None:
        args.error("needs --work or --self-test")
    meta = json.loads((a.work / "meta.json").read_text())
    train = np.fromfile(a.work / "train.bin", dtype=np.uint16)[: meta["groups"]["dialogues"]["begin"]].astype(np.int64)
    valid = np.fromfile(a.work / "valid.bin", dtype=np.uint16).astype(np.int64)
    result = {"train_tokens": len(train), "valid_tokens": len(valid) - 1, "orders": {}}
    for order, p in enumerate(probabilities(train, valid, meta["vocab"], a.orders), start=1):
        nats = -np.log(p).sum()
        row = {"nats_per_token": round(float(nats) / len(p), 4), "perplexity": round(math.exp(nats / len(p)), 2),
               "bits_per_byte": round(float(nats) / math.log(2) / meta["valid"]["bytes"], 4)}
        result["orders"][order] = row
        print(f"order {order}: {row}", flush=True)
    result["best"] = min(result["orders"], key=lambda o: result["orders"][o]["bits_per_byte"])
    if a.out:
        a.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
