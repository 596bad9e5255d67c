"""Golden answers: what transformers computes for a few prompts, for other engines to compare with.

    python golden.py --model ../tiny --out ../golden [--prompts empty,once,bytes,long]

--model is a folder or a GGUF file, whose blocks are widened to float32 first.

The float16 weights are widened to float32 and everything is computed in float32, without a KV cache.
Each prompt gives NAME.json (ids, greedy continuation) and NAME.bin: float32, little endian,
[positions, vocab] logits at the last three positions of the prompt (fewer if it is shorter).
"margin" is the smallest distance between the best and the second-best logit along the greedy text: an
engine whose error is below half of it must give the same text.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from evaluate import load

PROMPTS = {
    "empty": "",  # <|endoftext|> alone
    "once": "Once upon a time",
    "bytes": "\u201cO\u00f9 est la souris?\u201d asked  the snail \U0001f40c,\tat 12:30 --\n\nand \u6c34 ran.",
    "long": """The old miller had three sons, a mill, a donkey, and a cat. When he died, the eldest took the mill, \
the second took the donkey, and the youngest was left with the cat.

"What shall I do with you?" said the boy. "You cannot grind corn, and you cannot carry it. If I make a pair of gloves \
out of your skin, I shall have nothing left at all."

The cat sat down on the doorstep and washed one paw, and then the other. "Do not be sad, master," he said at last. \
"Give me a bag and a pair of boots, so that I can walk through the brambles, and you will see that you are not so \
poor as you think."

The boy had often seen the cat play clever tricks to catch rats and mice: he would hang by his feet from a beam, or \
lie in the flour and make believe that he was dead. So he gave him what he asked for, and waited to see what would \
come of it. The next morning the cat put on the boots, hung the bag round his neck, and went into the forest, where \
there were a great many rabbits.""",
}
NEW_TOKENS = 48


@torch.no_grad()
def answer(model, ids: list[int]) -> tuple[np.ndarray, list[int], float]:
    text, margin = list(ids), float("inf")
    for step in range(NEW_TOKENS):
        logits = model(torch.tensor([text]), use_cache=False).logits[0]
        if step == 0:
            kept = logits[-3:].numpy()
        best = logits[-1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        text.append(best.indices[0].item())
    return kept, text[len(ids):], margin


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--prompts", default=",".join(PROMPTS))
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    model, tokenizer = load(a.model)
    model.set_attn_implementation("eager")
    for name in a.prompts.split(","):
        prompt = PROMPTS[name]
        ids = [0, *tokenizer(prompt, add_special_tokens=False).input_ids]
        logits, greedy, margin = answer(model, ids)
        logits.astype("<f4").tofile(a.out / f"{name}.bin")
        positions = list(range(len(ids) - len(logits), len(ids)))
        content = {"prompt": prompt, "ids": ids, "logits_file": f"{name}.bin", "logits_positions": positions,
                   "logits_shape": list(logits.shape), "greedy_ids": greedy,
                   "greedy_text": tokenizer.decode(greedy), "margin": round(margin, 6)}
        lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in content.items())
        (a.out / f"{name}.json").write_text("{\n" + lines + "\n}\n")
        print(f"{name:6s} {len(ids):4d} ids  margin {margin:.4f}  {content['greedy_text']!r}")


if __name__ == "__main__":
    main()
