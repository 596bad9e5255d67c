"""Makes the tiny models of the parity suite, and the logits that transformers computes with them.

    python common/model/parity/make_parity.py [NAME ...]

For every entry of architectures.py, or for the named entries, it writes models/NAME/ with
    config.json, model*.safetensors   a Hugging Face folder in the form in which such models are published
    tokenizer.json                    256 tokens for the 256 bytes, so that the whole folder can be loaded
    golden.safetensors                prompts and logits, see `golden_of`
Needs torch, transformers and safetensors. All versions of transformers 5 give the same result; the script prints the
version that it uses.

The logits are computed in float64 from the weights in the file. During the run, torch treats float32 as float64, so
even the parts that transformers intentionally computes in float32 (norms, softmax, RoPE angles) are exact. The last
column of the output is the difference between these logits and those of transformers' own float32 run.
"""
import json
import math
import random
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode

from architectures import MODELS

HERE = Path(__file__).parent
PROMPTS = (1, 7, 65, 300)
COLUMNS = 33  # number of logits that are stored of each sampled row
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32, "f8": torch.bfloat16}


@contextmanager
def float64_everywhere():
    kept = torch.float32, torch.float, torch.Tensor.float
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept
        torch.set_default_dtype(torch.float32)


class NoFloat32(TorchDispatchMode):
    """Fails if an operation still computes in float32."""
    single = torch.float32

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for t in out if isinstance(out, (list, tuple)) else [out]:
            assert not (isinstance(t, torch.Tensor) and t.dtype == self.single), f"{function} computes in float32"
        return out


def build(config):
    # Without `dtype`, transformers would build the model in the dtype of the configuration, and Gemma's embedding scale
    # would stay rounded to bf16.
    dtype = torch.get_default_dtype()
    return transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager",
                                                         experts_implementation="eager", dtype=dtype).eval()


def draw(name, shape, spec, generator):
    """Returns random weights with which every part of the model changes the logits."""
    values = torch.randn(shape, generator=generator)
    if "norm" in name or ".ln_" in name:
        mean = spec["norm"] if name.endswith("weight") else 0.0
        if "q_norm" in name or "k_norm" in name:  # makes the attention scores far from uniform
            mean += 0.45
        return mean + 0.2 * values
    if name.endswith("bias"):
        return 0.3 * values
    if "embed" in name or ".wte" in name:
        return spec["embedding"] * values
    if ".wpe" in name:
        return 0.5 * values
    conv1d = spec["config"]["model_type"] == "gpt2" and "lm_head" not in name  # stored [in, out]
    values *= 0.7 / math.sqrt(shape[0] if conv1d else shape[-1])
    if name.endswith(".mlp.gate.weight"):  # makes the router give most of the weight to a few experts
        values *= 3
    if "lm_head" in name:
        values *= 3
    if any(part in name for part in ("q_proj", "k_proj", "c_attn", "qkv_proj")):
        values *= spec["peaked"]
    return values


def stored(name, values, dtype):
    linear = name.endswith("proj.weight") or name == "lm_head.weight"
    return values.to(torch.float8_e4m3fn if dtype == "f8" and linear else DTYPES[dtype]).contiguous()


def apart(tensors):
    """Returns the tensors under the names of Mixtral's files. transformers 5 stacks the experts only in memory."""
    out = {}
    for name, t in tensors.items():
        block, _, last = name.rpartition(".mlp.experts.")
        for i, one in enumerate(t if block else ()):
            for file, part in zip(("w1", "w3") if last == "gate_up_proj" else ("w2",),
                                  one.chunk(2) if last == "gate_up_proj" else (one,)):
                out[f"{block}.block_sparse_moe.experts.{i}.{file}.weight"] = part.contiguous()
        if not block:
            out[name.replace(".mlp.gate.", ".block_sparse_moe.gate.")] = t
    return out


def together(tensors):
    """Reverses apart()."""
    out, experts = {}, {}
    for name, t in tensors.items():
        block, _, rest = name.partition(".block_sparse_moe.experts.")
        if rest:
            number, which, _ = rest.split(".")
            experts.setdefault(block, {})[int(number), which] = t
        else:
            out[name.replace(".block_sparse_moe.gate.", ".mlp.gate.")] = t
    for block, parts in experts.items():
        numbers = sorted({number for number, _ in parts})
        out[f"{block}.mlp.experts.gate_up_proj"] = torch.stack([torch.cat([parts[n, "w1"], parts[n, "w3"]]) for n in numbers])
        out[f"{block}.mlp.experts.down_proj"] = torch.stack([parts[n, "w2"] for n in numbers])
    return out


def write_weights(folder, spec, config, seed):
    """Draws the weights in the order of their names and stores them under the names of the file. Returns the state dict
    in float32."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {name: tuple(t.shape) for name, t in build(config).state_dict().items()}
    if getattr(config, "tie_word_embeddings", False):
        shapes.pop("lm_head.weight")
    tensors = {name: stored(name, draw(name, shape, spec, generator), spec["dtype"])
               for name, shape in sorted(shapes.items())}
    prefix = spec.get("take_off", "")
    in_file = {name.removeprefix(prefix): t for name, t in apart(tensors).items()}
    shards = spec.get("shards", 1)
    if shards == 1:
        save_file(in_file, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        names, weight_map = sorted(in_file), {}
        for i in range(shards):
            file = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
            part = names[i::shards]
            save_file({n: in_file[n] for n in part}, folder / file, metadata={"format": "pt"})
            weight_map |= {n: file for n in part}
        size = sum(t.numel() * t.element_size() for t in in_file.values())
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(weight_map.items()))}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    return {name: t.to(torch.float32) for name, t in tensors.items()}


def model_of(config, weights, dtype):
    model = build(config)
    tied = {"lm_head.weight"} if getattr(config, "tie_word_embeddings", False) else set()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert set(missing) <= tied and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model.to(dtype)


class ClosestChoice:
    """Records the smallest difference between the router logits of the last selected expert of a token and of the next
    best expert. It must be much larger than rounding errors, or float32 could select another expert. The gap of a model
    without experts is None."""

    def __init__(self, model):
        self.gap = None
        for module in model.modules():
            if hasattr(module, "top_k") and hasattr(module, "num_experts") and hasattr(module, "weight"):
                module.register_forward_hook(self.look)

    def look(self, router, _, out):
        best = out[0].sort(dim=-1, descending=True).values
        gap = (best[:, router.top_k - 1] - best[:, router.top_k]).min().item()
        self.gap = gap if self.gap is None else min(gap, self.gap)


def logits_of(config, weights, prompts, exact, look=lambda model: None):
    """Returns one [tokens, vocab] tensor per prompt. `config` is copied because transformers may modify it. `look` is
    called with the model before the model runs."""
    config = type(config).from_dict(config.to_dict())
    dtype = torch.float64 if exact else torch.float32
    if exact:
        with float64_everywhere(), torch.no_grad():
            model = model_of(config, weights, dtype)
            with NoFloat32():
                return [model(torch.tensor([p]), use_cache=False).logits[0] for p in prompts]
    with torch.no_grad():
        model = model_of(config, weights, dtype)
        look(model)
        return [model(torch.tensor([p]), use_cache=False).logits[0] for p in prompts]


def prompts_of(name, vocab):
    rng = random.Random("parity " + name)
    return [[rng.randrange(vocab) for _ in range(n)] for n in PROMPTS]


def rows_of(tokens):
    """Returns the sampled rows: those at both ends, and those around the ends of windows and of original lengths."""
    wanted = [0, 1, 28, 36, 46, 63, 64, 65, 128, 257, tokens - 2, tokens - 1]
    return sorted({r for r in wanted if 0 <= r < tokens})


def golden_of(prompts, logits):
    """Returns the tensors of golden.safetensors. For each prompt of N tokens, they are: prompt_N [1, N], the ids;
    last_N [1, vocab], the last row of logits; rows_N [1, rows], positions; sample_N [rows, columns], the logits of
    these positions at `columns`. All are float32, which can represent these small integers exactly."""
    vocab = logits[0].shape[1]
    columns = torch.arange(COLUMNS) * (vocab - 1) // (COLUMNS - 1)
    golden = {"columns": columns[None]}
    for prompt, all_rows in zip(prompts, logits):
        rows = torch.tensor(rows_of(len(prompt)))
        golden |= {f"prompt_{len(prompt)}": torch.tensor([prompt]), f"last_{len(prompt)}": all_rows[-1:],
                   f"rows_{len(prompt)}": rows[None], f"sample_{len(prompt)}": all_rows[rows][:, columns]}
    return {name: t.to(torch.float32).contiguous() for name, t in golden.items()}


def tokenizer():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    alphabet = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(rest)}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": byte_level,
            "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "vocab": {alphabet[b]: b for b in range(256)}, "merges": []}}


def make(name, spec):
    folder = HERE / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec["config"] |= {"torch_dtype": str(DTYPES[spec["dtype"]]).removeprefix("torch.")}
    spec["config"] = {k: v for k, v in spec["config"].items() if v is not None or k != "rope_theta"}
    (folder / "config.json").write_text(json.dumps(spec["config"], indent=2) + "\n")
    config = transformers.AutoConfig.from_pretrained(folder)
    if spec.get("new_style"):  # in the form that transformers 5 writes
        config.save_pretrained(folder)
        config = transformers.AutoConfig.from_pretrained(folder)
    # Unescaped tokens on a single line keep the folder small.
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(), separators=(",", ":"), ensure_ascii=False) + "\n")
    weights = write_weights(folder, spec, config, spec.get("seed", sum(map(ord, name))))
    prompts = prompts_of(name, config.vocab_size)
    exact = logits_of(config, weights, prompts, exact=True)
    assert all(l.dtype == torch.float64 and torch.isfinite(l).all() for l in exact)
    save_file(golden_of(prompts, exact), folder / "golden.safetensors")
    choices = []
    single = logits_of(config, weights, prompts, exact=False, look=lambda model: choices.append(ClosestChoice(model)))
    norm = max(l.abs().max().item() for l in exact)
    error = max((a - b).abs().max().item() for a, b in zip(exact, single)) / norm
    size = sum(f.stat().st_size for f in folder.iterdir())
    gap = "" if choices[0].gap is None else f", closest choice of experts {choices[0].gap:.1e}"
    print(f"{name:16} {size / 1000:8.0f} KB  largest logit {norm:8.3f}  float32 off by {error:.1e} of it{gap}", flush=True)


def main():
    print(f"torch {torch.__version__}, transformers {transformers.__version__}")
    for name in sys.argv[1:] or MODELS:
        make(name, MODELS[name])


if __name__ == "__main__":
    main()
