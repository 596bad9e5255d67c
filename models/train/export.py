"""Weights -> files: write a checkpoint as a Hugging Face folder and as GGUF, and check both.

    python export.py --work WORK --out ..        # writes ../tiny/ and ../tiny.gguf

Every value is rounded to float16 once; both files hold these same values. Two things differ in GGUF,
as in llama.cpp's converter: the norms are stored as float32, and the rows of Q and K are reordered so
that the two numbers that rotate together lie side by side (2i, 2i + 1) instead of half a head apart.
"""
import argparse
import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file

from model import Config, Llama

END = "<|endoftext|>"
GGUF_NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
              "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
              "mlp.down_proj": "ffn_down"}


def gguf_name(name: str) -> str:
    """layers.3.mlp.up_proj.weight -> blk.3.ffn_up.weight"""
    if not name.startswith("layers."):
        return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]
    _, index, rest = name.removesuffix(".weight").split(".", 2)
    return f"blk.{index}.{GGUF_NAMES[rest]}.weight"


def interleave(w: np.ndarray, heads: int) -> np.ndarray:
    """[heads * head_dim, dim] rows: pair (i, i + head_dim / 2) of a head becomes (2i, 2i + 1)."""
    return w.reshape(heads, 2, -1, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def write_hf(folder: Path, c: Config, weights: dict[str, np.ndarray], tokenizer: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"model.{n}": w for n, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    files = {
        "config.json": {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": c.vocab,
            "hidden_size": c.dim, "intermediate_size": c.ffn, "num_hidden_layers": c.layers,
            "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim,
            "max_position_embeddings": c.context, "rope_theta": c.rope_theta, "rope_scaling": None,
            "rms_norm_eps": c.norm_eps, "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
            "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"},
        "generation_config.json": {"bos_token_id": 0, "eos_token_id": 0, "do_sample": True,
                                   "temperature": 0.7, "top_p": 0.9},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": END, "unk_token": None,
            "add_bos_token": True, "add_eos_token": False, "add_prefix_space": False,
            "clean_up_tokenization_spaces": False, "model_max_length": c.context},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def write_gguf(path: Path, c: Config, weights: dict[str, np.ndarray], tokenizer: Path) -> None:
    w = gguf.GGUFWriter(path, "llama")
    w.add_type("model")
    w.add_name("Rung Tiny")
    w.add_description("A small model of English stories, trained from scratch for Rung")
    w.add_languages(["en"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_custom_alignment(32)
    w.add_block_count(c.layers)
    w.add_context_length(c.context)
    w.add_embedding_length(c.dim)
    w.add_feed_forward_length(c.ffn)
    w.add_head_count(c.heads)
    w.add_head_count_kv(c.kv_heads)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    w.add_rope_dimension_count(c.head_dim)
    w.add_rope_freq_base(c.rope_theta)
    w.add_layer_norm_rms_eps(c.norm_eps)
    w.add_vocab_size(c.vocab)

    bpe = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].get)
    types = [gguf.TokenType.CONTROL if t == END else gguf.TokenType.NORMAL for t in tokens]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in bpe["merges"]])
    w.add_bos_token_id(0)
    w.add_eos_token_id(0)
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)

    for name, value in weights.items():
        if name.endswith("q_proj.weight"):
            value = interleave(value, c.heads)
        elif name.endswith("k_proj.weight"):
            value = interleave(value, c.kv_heads)
        w.add_tensor(gguf_name(name), value.astype(np.float32) if value.ndim == 1 else value)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def check(out: Path, c: Config, weights: dict[str, np.ndarray], valid: np.ndarray) -> None:
    """Both files, read by other people's code, must be the model that was trained."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ours = Llama(c).eval()
    ours.load_state_dict({n: torch.from_numpy(w.astype(np.float32)) for n, w in weights.items()})
    ids = torch.from_numpy(valid[: c.context].astype(np.int64))[None]
    with torch.no_grad():
        expected = ours(ids)
        assert expected.abs().max() > 3, "logits are too small to prove anything"
        for label, where in (("folder", {}), ("GGUF", {"gguf_file": "tiny.gguf"})):
            theirs = AutoModelForCausalLM.from_pretrained(out if where else out / "tiny", dtype=torch.float32, **where)
            worst = (theirs.eval()(ids).logits - expected).abs().max().item()
            print(f"transformers on the {label}: largest logit difference {worst:.2e}")
            assert worst <= 1e-4

    tokenizer = AutoTokenizer.from_pretrained(out / "tiny")
    text = "Once upon a time -- 1, 22, 333 -- she'll say: \"Caf\u00e9!\"\n\n  two  spaces,\ttab \U0001f40c"
    coded = tokenizer(text).input_ids
    assert coded[0] == 0 and 0 not in coded[1:], coded
    assert tokenizer.decode(coded[1:]) == text and tokenizer.decode(valid[:512].tolist()) != ""
    stored = {t.name: t for t in gguf.GGUFReader(out / "tiny.gguf").tensors}
    assert len(stored) == len(weights)
    for name, w in weights.items():
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            w = interleave(w, c.heads if "q_proj" in name else c.kv_heads)
        assert np.array_equal(stored[gguf_name(name)].data.reshape(w.shape).astype(np.float16), w), name
    print(f"GGUF and folder hold the same {len(weights)} tensors bit for bit; the tokenizer round-trips")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    a = args.parse_args()
    checkpoint = torch.load(a.work / "checkpoint.pt", map_location="cpu", weights_only=False)
    c = Config(**checkpoint["config"])
    weights = {n: p.float().numpy().astype(np.float16) for n, p in checkpoint["model"].items()}
    assert all(np.isfinite(w).all() for w in weights.values()), "a weight does not fit float16"
    print(f"step {checkpoint['step']}, {checkpoint['tokens']:,} tokens seen, "
          f"{sum(w.size for w in weights.values()):,} parameters")
    write_hf(a.out / "tiny", c, weights, a.work / "tokenizer.json")
    write_gguf(a.out / "tiny.gguf", c, weights, a.work / "tokenizer.json")
    check(a.out, c, weights, np.fromfile(a.work / "valid.bin", dtype=np.uint16))


if __name__ == "__main__":
    main()
