"""Measure an exported model: bits per byte and perplexity on held-out text, samples, and the load of its experts.

    python evaluate.py --model DIR/tiny --text DIR/valid.txt [--out evaluation.json]

--model is a folder or a GGUF file. Every document begins with <|endoftext|>; the documents form one stream, which is cut
into windows of one context side by side. Each token but the very first is predicted once, from what precedes it in its
window. Samples are printed as they come.
"""
import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

from corpus import read_documents

SAMPLES = [(1, "Once upon a time"), (2, "The little mouse"), (3, "There was once a king who"), (4, "Tom and Lucy went to the"),
           (5, "\"Where are you going?\" said the fox")]
CHATS = [(6, ["Tell me a story about a fox.", "What happened next?"]), (7, ["Hello!", "A princess and a dragon, please."])]
SAMPLING = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 0}


def load(path: Path):
    where = {"pretrained_model_name_or_path": path} if path.is_dir() else \
        {"pretrained_model_name_or_path": path.parent, "gguf_file": path.name}
    return AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval(), AutoTokenizer.from_pretrained(**where)


def read_ids(tokenizer, text: Path) -> tuple[torch.Tensor, int]:
    """-> the stream of ids, and the bytes of text in it"""
    documents = read_documents(text)
    ids = [i for d in documents for i in [0, *tokenizer(d, add_special_tokens=False, verbose=False).input_ids]]
    return torch.tensor(ids), sum(len(d.encode()) for d in documents)


@torch.no_grad()
def measure(model, ids: torch.Tensor) -> tuple[float, list[list[float]]]:
    """-> the sum of -ln p over the stream, and each layer's share of tokens per expert (empty for a dense model)"""
    experts = getattr(model.config, "num_local_experts", 0)
    nats, counts = 0.0, torch.zeros(model.config.num_hidden_layers, experts)
    window = model.config.max_position_embeddings
    for x, y in zip(ids[:-1].split(window), ids[1:].split(window)):
        out = model(x[None], **({"output_router_logits": True} if experts else {}))
        nats += F.cross_entropy(out.logits[0], y, reduction="sum").item()
        for layer, scores in enumerate(out.router_logits if experts else []):
            chosen = scores.topk(model.config.num_experts_per_tok, dim=-1).indices
            counts[layer] += torch.bincount(chosen.flatten(), minlength=experts)
    return nats, (counts / counts.sum(1, keepdim=True)).tolist() if experts else []


def sample(model, tokenizer, seed: int, start: list[int], count: int) -> list[int]:
    set_seed(seed)
    ids = torch.tensor([start])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), pad_token_id=0, eos_token_id=[0, 3],
                         max_new_tokens=count, **SAMPLING)
    return out[0, len(start):].tolist()


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--text", type=Path, required=True)
    args.add_argument("--windows", type=int, help="only the first so many windows, and no samples")
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--out", type=Path)
    a = args.parse_args()
    torch.set_num_threads(a.threads)
    model, tokenizer = load(a.model)
    ids, size = read_ids(tokenizer, a.text)
    if a.windows:
        ids = ids[:a.windows * model.config.max_position_embeddings + 1]
        size = len(tokenizer.decode(ids[1:], skip_special_tokens=True).encode())
    nats, load_of_experts = measure(model, ids)
    count = len(ids) - 1
    result = {"bytes": size, "tokens": count, "window": model.config.max_position_embeddings,
              "nats_per_token": round(nats / count, 6), "perplexity": round(math.exp(nats / count), 3),
              "bits_per_byte": round(nats / math.log(2) / size, 6)}
    print(f"{size:,} bytes, {count:,} tokens ({size / count:.2f} bytes per token)\n"
          f"{nats / count:.6f} nats per token, perplexity {math.exp(nats / count):.2f} per token, "
          f"{nats / math.log(2) / size:.6f} bits per byte", flush=True)
    if load_of_experts:
        result["expert_load"] = [[round(x, 4) for x in row] for row in load_of_experts]
        for layer, row in enumerate(load_of_experts):
            print(f"layer {layer}: share of each expert " + " ".join(f"{x:.3f}" for x in row))

    result["samples"] = []
    for seed, prompt in [] if a.windows else SAMPLES:
        start = [0, *tokenizer(prompt, add_special_tokens=False).input_ids]
        text = prompt + tokenizer.decode(sample(model, tokenizer, seed, start, 160), skip_special_tokens=True)
        result["samples"].append({"seed": seed, "prompt": prompt, "text": text})
        print(f"\n--- seed {seed}\n{text}", flush=True)
    for seed, lines in [] if a.windows or not tokenizer.chat_template else CHATS:
        talk = []
        for line in lines:
            talk.append({"role": "user", "content": line})
            text = tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True)
            start = tokenizer(text, add_special_tokens=False).input_ids
            talk.append({"role": "assistant", "content": tokenizer.decode(
                sample(model, tokenizer, seed, start, 160), skip_special_tokens=True)})
        result["samples"].append({"seed": seed, "chat": talk})
        print(f"\n--- seed {seed}\n" + "\n".join(f"{m['role']}: {m['content']}" for m in talk), flush=True)
    if a.out:
        a.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
