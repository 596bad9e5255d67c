"""Weights -> files: write a trained model as a Hugging Face folder and as GGUF, and check both.

    python export.py --work WORK --name tiny --out DIR [--gguf f16|q8_0] [--no-folder]

DIR/NAME/ and DIR/NAME.gguf. Every value is rounded to float16 once; folder and GGUF hold these same values, or their Q8_0
blocks. As in llama.cpp's converter, the norms (and a router) are float32 in GGUF, the rows of Q and K are reordered so that the
two numbers that rotate together lie side by side (2i, 2i + 1) instead of half a head apart, and the experts of a layer
are one tensor.
"""
import argparse
import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file

import chat
from model import Config, Model

GGUF_NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
              "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
              "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
              "mlp.down_proj": "ffn_down", "block_sparse_moe.gate": "ffn_gate_inp",
              "block_sparse_moe.w1": "ffn_gate_exps", "block_sparse_moe.w2": "ffn_down_exps",
              "block_sparse_moe.w3": "ffn_up_exps"}


def gguf_name(name: str) -> str:
    """layers.3.mlp.up_proj.weight -> blk.3.ffn_up.weight"""
    if not name.startswith("layers."):
        return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}[name]
    _, index, rest = name.removesuffix(".weight").split(".", 2)
    return f"blk.{index}.{GGUF_NAMES[rest]}.weight"


def interleave(w: np.ndarray, heads: int) -> np.ndarray:
    """[heads * head_dim, dim] rows: pair (i, i + head_dim / 2) of a head becomes (2i, 2i + 1)."""
    return w.reshape(heads, 2, -1, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def gguf_tensors(c: Config, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    out = {}
    for name, w in weights.items():
        if ".experts." in name:
            if ".experts.0." in name:
                all_experts = [weights[name.replace(".experts.0.", f".experts.{e}.")] for e in range(c.experts)]
                out[gguf_name(name.replace(".experts.0.", "."))] = np.stack(all_experts)
        elif name.endswith(("q_proj.weight", "k_proj.weight")):
            out[gguf_name(name)] = interleave(w, c.heads if "q_proj" in name else c.kv_heads)
        elif w.ndim == 1 or name.endswith("moe.gate.weight"):
            out[gguf_name(name)] = w.astype(np.float32)
        else:
            out[gguf_name(name)] = w
    return out


def write_folder(folder: Path, c: Config, weights: dict[str, np.ndarray], tokenizer: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({f"model.{n}": w for n, w in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    kind = {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": c.experts,
            "num_experts_per_tok": c.experts_per_token, "sliding_window": None, "router_aux_loss_coef": 0.02} \
        if c.experts else {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "rope_scaling": None,
                           "attention_bias": False, "mlp_bias": False}
    files = {
        "config.json": {
            **kind, "vocab_size": c.vocab, "hidden_size": c.dim, "intermediate_size": c.ffn,
            "num_hidden_layers": c.layers, "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads,
            "head_dim": c.head_dim, "max_position_embeddings": c.context, "rope_theta": c.rope_theta,
            "rms_norm_eps": c.norm_eps, "hidden_act": "silu", "tie_word_embeddings": True, "bos_token_id": 0,
            "eos_token_id": 0, "torch_dtype": "float16"},
        "generation_config.json": {"bos_token_id": 0, "eos_token_id": [0, 3], "do_sample": True, "temperature": 0.7,
                                   "top_p": 0.9},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": chat.END, "eos_token": chat.END,
            "unk_token": None, "add_bos_token": True, "add_eos_token": False, "add_prefix_space": False,
            "clean_up_tokenization_spaces": False, "model_max_length": c.context, "chat_template": chat.TEMPLATE},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n")


def write_gguf(path: Path, name: str, c: Config, weights: dict[str, np.ndarray], tokenizer: Path, kind: str) -> None:
    w = gguf.GGUFWriter(path, "llama")
    w.add_type("model")
    w.add_name(f"Rung {name}")
    w.add_description("A small model of English stories, trained from scratch for Rung")
    w.add_languages(["en"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if kind == "q8_0" else gguf.LlamaFileType.MOSTLY_F16)
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
    if c.experts:
        w.add_expert_count(c.experts)
        w.add_expert_used_count(c.experts_per_token)

    bpe = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]
    tokens = sorted(bpe["vocab"], key=bpe["vocab"].get)
    types = [gguf.TokenType.CONTROL if t in chat.SPECIAL else gguf.TokenType.NORMAL for t in tokens]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in bpe["merges"]])
    w.add_bos_token_id(0)
    w.add_eos_token_id(0)
    w.add_eot_token_id(chat.SPECIAL.index(chat.TURN_END))
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    w.add_chat_template(chat.TEMPLATE)

    q8 = gguf.GGMLQuantizationType.Q8_0
    for tensor, value in gguf_tensors(c, weights).items():
        if kind == "q8_0" and value.dtype == np.float16:
            w.add_tensor(tensor, gguf.quants.quantize(value.astype(np.float32), q8), raw_dtype=q8)
        else:
            w.add_tensor(tensor, value)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def check_gguf(path: Path, c: Config, weights: dict[str, np.ndarray]) -> None:
    """Every tensor is there, bit for bit, or within half a step of its Q8_0 block."""
    stored = {t.name: t for t in gguf.GGUFReader(path).tensors}
    expected = gguf_tensors(c, weights)
    assert stored.keys() == expected.keys()
    for name, w in expected.items():
        if stored[name].tensor_type == gguf.GGMLQuantizationType.Q8_0:
            back = gguf.quants.dequantize(stored[name].data, stored[name].tensor_type).reshape(w.shape)
            step = np.abs(w.astype(np.float32).reshape(-1, 32)).max(1) / 127  # of each block of 32
            # The step itself is stored as float16 (whose numbers below 2^-14 are 2^-24 apart), and 127 of these errors
            # add up at the largest value.
            rounding = np.maximum(step * 2.0 ** -11, 2.0 ** -25)
            off = np.abs(back - w).reshape(-1, 32)
            assert (off <= (0.5 * step + 127 * rounding)[:, None] + 1e-7).all(), name
        else:
            assert np.array_equal(stored[name].data.reshape(w.shape), w), name
    print(f"{path.name}: {len(stored)} tensors, {path.stat().st_size:,} bytes")


def check_logits(where: dict, label: str, ids: torch.Tensor, expected: torch.Tensor, experts: int) -> None:
    """transformers, reading the file, must compute what the model that was trained computes.

    Within 1e-5 of the largest logit: float32 resolves 6e-8 of it, and some hundreds of roundings follow one another. Where
    a router finds two experts equally good, rounding decides; so with experts one position in a hundred may differ.
    """
    from transformers import AutoModelForCausalLM
    theirs = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32).eval()
    with torch.no_grad():
        off = (theirs(ids).logits - expected).abs().amax(-1).flatten()  # [positions]
    largest = expected.abs().max().item()
    print(f"transformers on {label}: largest logit difference {off.max():.2e}, largest logit {largest:.1f}")
    assert (off > 1e-5 * largest).sum() <= (len(off) // 100 if experts else 0)


def check_tokenizer(folder: Path) -> None:
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "Once upon a time -- 1, 22, 333 -- she'll say: \"Caf\u00e9!\"\n\n  two  spaces,\ttab \U0001f40c"
    coded = tokenizer(text).input_ids
    assert coded[0] == 0 and 0 not in coded[1:], coded
    assert tokenizer.decode(coded[1:]) == text
    talk = [{"role": "system", "content": " Be kind. "}, {"role": "user", "content": "A fox, please.\n"},
            {"role": "assistant", "content": "A fox ran."}, {"role": "user", "content": "Go on."}]
    expected = chat.render(talk, add_generation_prompt=True)
    assert expected == ("<|endoftext|><|user|>Be kind. A fox, please.<|story|>A fox ran.<|end|><|user|>Go on.<|story|>")
    assert tokenizer.apply_chat_template(talk, tokenize=False, add_generation_prompt=True) == expected
    assert [i for i in tokenizer(expected, add_special_tokens=False).input_ids if i < 4] == [0, 1, 2, 3, 1, 2]


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--name", required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--gguf", choices=("f16", "q8_0", "none"), default="f16")
    args.add_argument("--no-folder", action="store_true", help="only the GGUF file stays")
    a = args.parse_args()
    checkpoint = torch.load(a.work / a.name / "checkpoint.pt", map_location="cpu", weights_only=False)
    c = Config(**checkpoint["shape"])
    weights = {n: p.float().numpy().astype(np.float16) for n, p in checkpoint["model"].items()}
    assert all(np.isfinite(w).all() for w in weights.values()), "a weight does not fit float16"
    print(f"{a.name}: step {checkpoint['step']}, {checkpoint['tokens']:,} tokens seen, "
          f"{sum(w.size for w in weights.values()):,} parameters, {c.multiply_adds():,} multiply-adds per token")

    ours = Model(c).eval()
    ours.load_state_dict({n: torch.from_numpy(w.astype(np.float32)) for n, w in weights.items()})
    ids = torch.from_numpy(np.fromfile(a.work / "valid.bin", dtype=np.uint16)[: c.context].astype(np.int64))[None]
    with torch.no_grad():
        expected = ours(ids)
    if checkpoint["tokens"] > 1_000_000:  # else a toy run
        assert expected.abs().max() > 3, "logits are too small to prove anything"

    folder, file = a.out / a.name, a.out / f"{a.name}.gguf"
    write_folder(folder, c, weights, a.work / "tokenizer.json")
    check_logits({"pretrained_model_name_or_path": folder}, "the folder", ids, expected, c.experts)
    check_tokenizer(folder)
    if a.gguf != "none":
        write_gguf(file, a.name, c, weights, a.work / "tokenizer.json", a.gguf)
        check_gguf(file, c, weights)
        if a.gguf == "f16" and not c.experts:
            where = {"pretrained_model_name_or_path": a.out, "gguf_file": file.name}
            check_logits(where, "the GGUF file", ids, expected, c.experts)
    if a.no_folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
