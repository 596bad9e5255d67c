"""A small trained model -> the starting point of a larger one that computes nearly the same.

    python grow.py --model FOLDER --work WORK --config configs/tiny.json     # then train.py --start WORK/tiny-grown.pt

FOLDER is a Hugging Face folder of a Llama of the same width and heads: an earlier model, or the shipped one to be trained further
(a Mixtral then, too).
Nothing that it learned is thrown away:

    layers   a new layer is a copy of the one below it whose two matrices into the residual stream are zero: it adds nothing
             until it is trained (block expansion, LLaMA Pro, arXiv:2401.02415)
    ffn      new inner columns start at random and are read with weight zero (function-preserving widening: Net2Net,
             arXiv:1511.05641)
    experts  each begins as a part of the columns of the feed-forward layer, the parts overlapping; their last matrix is
             doubled, since a router that does not know yet gives each of two experts half (sparse upcycling,
             arXiv:2212.05055, with smaller experts than there)
    tokens   a token of the new vocabulary that the old one spelled with several begins as their mean

Layers and columns leave the function as it was; tokens and experts do not.

The optimizers' state starts anew.
"""
import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

import chat
from model import Config, Model

INTO_STREAM = ("self_attn.o_proj.weight", "mlp.down_proj.weight")


def old_layer(new: int, old_layers: int, new_layers: int) -> tuple[int, bool]:
    """-> the old layer that layer `new` starts as, and whether it is the first of its copies. 4 -> 6: 0 0 1 2 2 3"""
    source = [i * old_layers // new_layers for i in range(new_layers)]
    return source[new], new == 0 or source[new - 1] != source[new]


def expert_part(old: dict[str, torch.Tensor], mlp: str, rest: str, c: Config) -> torch.Tensor:
    """block_sparse_moe.experts.E.W.weight: the columns from width * E / experts on, around the end to the beginning"""
    _, _, expert, matrix, _ = rest.split(".")
    w = old[mlp + {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}[matrix] + ".weight"]
    width = w.shape[1] if matrix == "w2" else w.shape[0]
    columns = (torch.arange(c.ffn) + width * int(expert) // c.experts) % width
    return 2.0 * w[:, columns] if matrix == "w2" else w[columns]


def grow_layers(old: dict[str, torch.Tensor], old_layers: int, model: Model) -> dict[str, torch.Tensor]:
    """The weights of `model`, whose fresh values stay where the old model has none; without the embedding."""
    out = model.state_dict()
    out["norm.weight"] = old["norm.weight"]
    for name in [n for n in out if n.startswith("layers.")]:
        _, index, rest = name.split(".", 2)
        source, first = old_layer(int(index), old_layers, model.config.layers)
        if rest.startswith("block_sparse_moe.") and f"layers.{source}.{rest}" not in old:  # from a model without experts
            if rest != "block_sparse_moe.gate.weight":
                out[name] = expert_part(old, f"layers.{source}.mlp.", rest, model.config) * (1.0 if first else 0.0)
            continue
        w = old[f"layers.{source}.{rest}"]
        if w.shape != out[name].shape:  # the feed-forward width
            wide = out[name].clone()
            if rest in INTO_STREAM:
                wide.zero_()
            wide[tuple(slice(n) for n in w.shape)] = w
            w = wide
        out[name] = torch.zeros_like(w) if rest in INTO_STREAM and not first else w
    return out


def grow_embedding(old: torch.Tensor, old_tokens: Tokenizer, new_tokens: Tokenizer, fresh: torch.Tensor) -> torch.Tensor:
    """[new vocabulary, dim]. The tokens of chat.SPECIAL keep a row of `fresh` unless the old vocabulary has them."""
    out = fresh.clone()
    spell = Tokenizer(old_tokens.model)  # no pre-tokenizer: a token is one piece of byte-level text
    for i in range(new_tokens.get_vocab_size()):
        token = new_tokens.id_to_token(i)
        same = old_tokens.token_to_id(token)
        if same is not None:
            out[i] = old[same]
        elif token not in chat.SPECIAL:
            out[i] = old[spell.encode(token).ids].mean(0)
    return out


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--model", type=Path, required=True)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--config", type=Path, required=True)
    a = args.parse_args()
    config = json.loads(a.config.read_text())
    torch.manual_seed(config["seed"])
    model = Model(Config(**config["model"]))
    shape = json.loads((a.model / "config.json").read_text())
    c = model.config
    same = {"hidden_size": c.dim, "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim}
    for name, value in same.items():
        if shape[name] != value:
            args.error(f"{a.model} has {name} {shape[name]} and {a.config} wants {value}; only layers, feed-forward width and "
                       "vocabulary can grow")
    if shape["num_hidden_layers"] > c.layers or (shape["intermediate_size"] > c.ffn and not c.experts):
        args.error(f"{a.model} is larger than {a.config} wants; a model can only grow")
    old = {n.removeprefix("model."): w.float() for n, w in load_file(a.model / "model.safetensors").items()}
    weights = grow_layers(old, shape["num_hidden_layers"], model)
    tokens = [Tokenizer.from_file(str(p / "tokenizer.json")) for p in (a.model, a.work)]
    weights["embed_tokens.weight"] = grow_embedding(old["embed_tokens.weight"], *tokens, model.embed_tokens.weight.detach())
    model.load_state_dict(weights)
    path = a.work / f"{a.config.stem}-grown.pt"
    torch.save({"model": model.state_dict(), "shape": c.dict()}, path)
    print(f"{path}: {shape['num_hidden_layers']} -> {c.layers} layers, feed-forward width "
          f"{shape['intermediate_size']} -> {c.ffn}, {len(old['embed_tokens.weight'])} -> {c.vocab} tokens")


if __name__ == "__main__":
    main()
