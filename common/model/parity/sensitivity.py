"""Shows that the golden logits reveal errors in a model.

    python common/model/parity/sensitivity.py [NAME ...]

Breaks transformers' own model in one place at a time, and prints how much the logits of the prompt of 300 tokens
change, as a fraction of the largest logit. "-" means that the model has no such part. engine/parity_test.cpp allows
about 1e-5.
"""
import sys

import torch
import transformers
from safetensors.torch import load_file

from architectures import MODELS
from make_parity import HERE, logits_of, prompts_of, together


def modeling(config):
    model = type(transformers.AutoModelForCausalLM.from_config(config))
    return sys.modules[model.__module__]


class Patch:
    """A context manager that replaces names of the modeling file."""

    def __init__(self, module, **names):
        self.module, self.names = module, names

    def __enter__(self):
        self.kept = {n: getattr(self.module, n) for n in self.names}
        for n, value in self.names.items():
            setattr(self.module, n, value)

    def __exit__(self, *_):
        for n, value in self.kept.items():
            setattr(self.module, n, value)


def attention(module, change_mask=None, scale=1.0, **fixed):
    """Patches eager_attention_forward to use another mask, scale or soft cap."""
    original = module.eager_attention_forward

    def broken(layer, q, k, v, mask, scaling=None, **kwargs):
        mask = change_mask(mask) if change_mask and mask is not None else mask
        if scaling is None:
            scaling = q.shape[-1] ** -0.5
        return original(layer, q, k, v, mask, scaling=scaling * scale, **(kwargs | fixed))

    return Patch(module, eager_attention_forward=broken)


def causal(mask):  # every token sees all tokens before it, without a window
    n = mask.shape[-1]
    keep = torch.ones(n, n, dtype=torch.bool).tril()
    return torch.zeros_like(mask).masked_fill(~keep, torch.finfo(mask.dtype).min)


def next_token(mask):  # shifts the mask by one row, so every token also sees the next one
    return torch.cat([mask[..., 1:, :], mask[..., -1:, :]], dim=-2)


def window_more(mask):  # makes the window one token larger
    return torch.maximum(mask, torch.cat([mask[..., :1, :], mask[..., :-1, :]], dim=-2)) + (causal(mask))


def breaks(name, config, module):
    rope = dict(config.rope_parameters) if getattr(config, "rope_parameters", None) else None
    nested = rope is not None and "full_attention" in rope
    scaled = rope and (rope["full_attention"] if nested else rope).get("rope_type") != "default"

    def with_(**changes):
        other = type(config).from_dict(config.to_dict())
        for key, value in changes.items():
            assert hasattr(other, key), key
            setattr(other, key, value)
        return other

    rotate = getattr(module, "apply_rotary_pos_emb", None)
    eps = next(k for k in ("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon") if hasattr(config, k))
    window = getattr(config, "sliding_window", None) and (
        config.model_type in ("mistral", "mixtral", "phi3") or "sliding_attention" in (getattr(config, "layer_types", None) or []))
    same = config
    k = getattr(config, "num_experts_per_tok", None)
    table = {
        "no RoPE": rotate and (same, Patch(module, apply_rotary_pos_emb=lambda q, k, c, s, *a, **kw: (q, k))),
        "RoPE sign": rotate and (
            same, Patch(module, apply_rotary_pos_emb=lambda q, k, c, s, *a, **kw: rotate(q, k, c, -s))),
        "theta +1%": rope and (with_(rope_parameters=theta(rope, nested, 1.01)), None),
        "no RoPE scaling": scaled and (with_(rope_parameters=unscaled(rope, nested)), None),
        "no window": window and (same, attention(module, causal)),
        "window +1": window and (same, attention(module, window_more)),
        "sees next": (same, attention(module, next_token)),
        "scale +1%": (same, attention(module, scale=1.01)),
        "eps * 100": (with_(**{eps: getattr(config, eps) * 100}), None),
    }
    for title, field, value in [
            ("no attention cap", "attn_logit_softcapping", None), ("no logit cap", "final_logit_softcapping", None),
            ("embedding scale", "embedding_multiplier", 1.0), ("residual scale", "residual_multiplier", 1.0),
            ("logit scale", "logits_scaling", 1.0)]:
        table[title] = getattr(config, field, None) is not None and (with_(**{field: value}), None)
    table["experts -1"] = k and (with_(num_experts_per_tok=k - 1), None)
    table["not renormalized"] = k and (same, not_renormalized(module))
    table["equal weights"] = k and (same, not_renormalized(module, lambda p: torch.full_like(p, 1 / k)))
    return table


def not_renormalized(module, weights=lambda p: p):
    """Patches the router to use the softmax over all experts as the weights of the selected experts. `weights` can
    transform them."""
    router = next(c for n, c in vars(module).items() if n.endswith("TopKRouter"))

    def forward(self, x):
        logits = torch.nn.functional.linear(x.reshape(-1, self.hidden_dim), self.weight)
        best, index = torch.topk(logits.softmax(dim=-1), self.top_k, dim=-1)
        return logits, weights(best), index

    return Patch(router, forward=forward)


def theta(rope, nested, factor):
    if nested:
        return {k: theta(v, False, factor) for k, v in rope.items()}
    return rope | {"rope_theta": rope["rope_theta"] * factor}


def unscaled(rope, nested):
    if nested:
        return {k: unscaled(v, False) for k, v in rope.items()}
    return {k: rope[k] for k in ("rope_theta", "partial_rotary_factor") if k in rope} | {"rope_type": "default"}


def main():
    titles = None
    for name in sys.argv[1:] or MODELS:
        folder = HERE / "models" / name
        config = transformers.AutoConfig.from_pretrained(folder)
        module = modeling(config)
        weights = {}
        for file in sorted(folder.glob("model*.safetensors")):
            weights |= {MODELS[name].get("take_off", "") + k: t.to(torch.float32) for k, t in load_file(file).items()}
        weights = together(weights)
        prompt = prompts_of(name, config.vocab_size)[-1:]
        right = logits_of(config, weights, prompt, exact=False)[0]
        norm = right.abs().max()
        cells = {}
        for title, what in breaks(name, config, module).items():
            if not what:
                cells[title] = "-"
                continue
            other, patch = what
            if patch:
                with patch:
                    wrong = logits_of(other, weights, prompt, exact=False)[0]
            else:
                wrong = logits_of(other, weights, prompt, exact=False)[0]
            cells[title] = f"{((wrong - right).abs().max() / norm).item():.0e}"
        if titles is None:
            titles = list(cells)
            print("| model | " + " | ".join(titles) + " |\n|---|" + "---|" * len(titles))
        print(f"| {name} | " + " | ".join(cells[t] for t in titles) + " |", flush=True)


if __name__ == "__main__":
    main()
