"""How often would speculative decoding accept the draft's guesses? Greedy draft, greedy target, temperature 0.

    python acceptance.py --target DIR/tiny --draft DIR/draft --text DIR/valid.txt [--out acceptance.json]

A prompt is 64 tokens of held-out text (each after an <|endoftext|>, evenly spread over the text). Three measures:

    next four   the draft guesses four tokens; those up to the first that the target would not have written are accepted.
                Histogram over the prompts of 0 to 4 accepted, and their mean divided by 4
    along       the same, again and again along 64 tokens of the target's own text: after each round the target adds one
                token of its own, as a speculative decoder does
    agreement   share of places in these 64 tokens where the draft's likeliest token is the target's
"""
import argparse
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from corpus import read_documents

GUESSES, PROMPT, LENGTH = 4, 64, 64


@torch.no_grad()
def continue_greedily(model, ids: torch.Tensor, count: int) -> torch.Tensor:
    """ids [batch, tokens] -> [batch, count] the likeliest tokens, without an end"""
    cache, new, x = None, [], ids
    for _ in range(count):
        out = model(x, past_key_values=cache, use_cache=True)
        cache, x = out.past_key_values, out.logits[:, -1:].argmax(-1)
        new.append(x)
    return torch.cat(new, dim=1)


def leading(equal: torch.Tensor) -> torch.Tensor:
    """[rows, guesses] bool -> [rows] how many are true before the first that is false"""
    return equal.long().cumprod(dim=1).sum(dim=1)


def measure(target, draft, prompts: torch.Tensor) -> dict:
    text = torch.cat([prompts, continue_greedily(target, prompts, LENGTH)], dim=1)
    with torch.no_grad():
        agree = draft(text[:, :-1]).logits[:, PROMPT - 1 :].argmax(-1) == text[:, PROMPT:]  # [prompts, LENGTH]
    first = leading(continue_greedily(draft, prompts, GUESSES) == text[:, PROMPT : PROMPT + GUESSES])
    # While all guesses before are accepted, the draft has read the target's own text: `agree` already says what happens.
    rounds = []
    for row in agree:
        at = 0
        while at + GUESSES <= LENGTH:
            accepted = leading(row[None, at : at + GUESSES]).item()
            rounds.append(accepted)
            at += accepted + 1
    assert torch.equal(leading(agree[:, :GUESSES]), first), "the two ways of counting differ"

    def summary(values: list[int]) -> dict:
        histogram = [values.count(n) for n in range(GUESSES + 1)]
        return {"histogram": histogram, "mean_share": round(sum(values) / len(values) / GUESSES, 4)}
    return {"prompts": len(prompts), "next_four": summary(first.tolist()), "along": summary(rounds),
            "agreement": round(agree.float().mean().item(), 4),
            "agreement_next_four": round(agree[:, :GUESSES].float().mean().item(), 4)}


class Fixed:
    """A stand-in for a model: after id i comes `table[i]`."""

    def __init__(self, table: list[int]):
        self.table = torch.tensor(table)

    def __call__(self, x, past_key_values=None, use_cache=False):
        logits = torch.nn.functional.one_hot(self.table[x], len(self.table)).float()
        return argparse.Namespace(logits=logits, past_key_values=None)


def self_test() -> None:
    """The target counts 0 1 2 ... 9 0 1; the draft does too, but after 6 it says 0."""
    target, draft = Fixed([1, 2, 3, 4, 5, 6, 7, 8, 9, 0]), Fixed([1, 2, 3, 4, 5, 6, 0, 8, 9, 0])
    prompts = torch.stack([(torch.arange(PROMPT) + i) % 10 for i in range(10)])  # the last id is (63 + i) % 10
    result = measure(target, draft, prompts)
    # Of ten places to begin, one has the fault at once, one after 1, 2 and 3 good guesses, six not within four.
    assert result["next_four"] == {"histogram": [1, 1, 1, 1, 6], "mean_share": 0.75}, result
    assert abs(result["agreement"] - 0.9) < 0.01, result
    print("self-test passed")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--target", type=Path)
    args.add_argument("--draft", type=Path)
    args.add_argument("--text", type=Path)
    args.add_argument("--self-test", action="store_true")
    args.add_argument("--prompts", type=int, default=200)
    args.add_argument("--out", type=Path)
    a = args.parse_args()
    if a.self_test:
        self_test()
        return
    if not (a.target and a.draft and a.text):
        args.error("needs --target, --draft and --text, or --self-test")
    target, draft = (AutoModelForCausalLM.from_pretrained(p, dtype=torch.float32).eval() for p in (a.target, a.draft))
    tokenizer = AutoTokenizer.from_pretrained(a.target)
    documents = read_documents(a.text)
    ids = torch.tensor([i for d in documents for i in tokenizer(d, verbose=False).input_ids])
    starts = torch.linspace(0, len(ids) - PROMPT, a.prompts).long()
    prompts = torch.stack([torch.cat([torch.tensor([0]), ids[s + 1 : s + PROMPT]]) for s in starts.tolist()])
    result = measure(target, draft, prompts)
    print(json.dumps(result, indent=1))
    if a.out:
        a.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
