"""Measure the exported model: bits per byte and perplexity on held-out text, and a few samples.

    python evaluate.py --model ../tiny --text DIR/valid.txt

Every document begins with <|endoftext|>; the documents form one stream, which is cut into windows of one
context side by side. Each token but the very first is predicted once, from what precedes it in its window.
"""
import argparse
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

SAMPLES = [(1, "Once upon a time"), (2, "The little mouse"), (3, "There was once a king who")]


@torch.no_grad()
def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--text", type=Path, required=True)
    a = args.parse_args()
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(a.model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(a.model)

    documents = [d for d in a.text.read_text(encoding="utf-8").split("\n<|endoftext|>\n") if d.strip()]
    size = sum(len(d.encode()) for d in documents)
    ids = torch.tensor([i for d in documents for i in tokenizer(d, verbose=False).input_ids])
    context, nats = model.config.max_position_embeddings, 0.0
    for x, y in zip(ids[:-1].split(context), ids[1:].split(context)):
        nats += F.cross_entropy(model(x[None]).logits[0], y, reduction="sum").item()
    count = len(ids) - 1
    print(f"{size:,} bytes, {count:,} tokens ({size / count:.2f} bytes per token)\n"
          f"{nats / count:.4f} nats per token, perplexity {math.exp(nats / count):.2f} per token, "
          f"{nats / math.log(2) / size:.4f} bits per byte")

    for seed, prompt in SAMPLES:
        set_seed(seed)
        start = torch.tensor([tokenizer(prompt).input_ids])
        out = model.generate(start, attention_mask=torch.ones_like(start), pad_token_id=0, max_new_tokens=160,
                             do_sample=True, temperature=0.7, top_p=0.9, top_k=0)
        print(f"\n--- seed {seed}\n{tokenizer.decode(out[0], skip_special_tokens=True)}")


if __name__ == "__main__":
    main()
