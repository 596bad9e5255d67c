#!/usr/bin/env python3
"""Writes small valid inputs for the fuzz targets, from committed files and as GGUF models of a few kilobytes.

usage: make_seeds.py OUT      (OUT/gguf/..., OUT/safetensors/..., one folder per target)
"""

import json
import struct
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMON = HERE.parents[1]
PARITY = COMMON / "model" / "parity" / "models"
MAX_SEED = 40_000  # bytes; larger inputs make the fuzzer slow

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9


def golden_files(pattern):
    """Returns the files that match `pattern` in the `golden` folders of all rooms."""
    return [path for folder in COMMON.rglob("golden") for path in folder.rglob(pattern)]


def gguf_string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf_value(value):
    """Returns (type, bytes) of a metadata value. The type of a number is derived from its Python type."""
    if isinstance(value, bool):
        return BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return U32, struct.pack("<I", value)
    if isinstance(value, float):
        return F32, struct.pack("<f", value)
    if isinstance(value, str):
        return STRING, gguf_string(value)
    kind = gguf_value(value[0])[0]
    return ARRAY, struct.pack("<IQ", kind, len(value)) + b"".join(gguf_value(v)[1] for v in value)


def gguf(metadata, tensors, version=3):
    """Returns the bytes of a GGUF file. `tensors` maps a name to (dims, GGML type, bytes)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, data = gguf_value(value)
        out += gguf_string(key) + struct.pack("<I", kind) + data
    offset, body = 0, b""
    for name, (dims, kind, data) in tensors.items():
        out += gguf_string(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
        out += struct.pack("<IQ", kind, offset)
        body += data + b"\0" * (-len(data) % 32)
        offset = len(body)
    return out + b"\0" * (-len(out) % 32) + body


def sizes(kind, n):
    """Returns the number of bytes of n elements of a GGML type."""
    return {0: 4 * n, 1: 2 * n, 2: n // 32 * 18, 8: n // 32 * 34}[kind]


def model(arch, kind, tokenizer, experts=0):
    dim, ffn, heads, kv_heads, vocab = 32, 64, 4, 2, len(tokenizer["tokenizer.ggml.tokens"])
    metadata = {"general.architecture": arch, "general.name": "seed", f"{arch}.block_count": 1,
                f"{arch}.context_length": 64, f"{arch}.embedding_length": dim, f"{arch}.feed_forward_length": ffn,
                f"{arch}.attention.head_count": heads, f"{arch}.attention.head_count_kv": kv_heads,
                f"{arch}.attention.layer_norm_rms_epsilon": 1e-5, f"{arch}.rope.freq_base": 10000.0, **tokenizer}

    def matrix(rows, cols, of=kind):
        return [cols, rows], of, bytes(i * 7 % 61 for i in range(sizes(of, rows * cols)))

    def norm(n=dim):
        return [n], 0, struct.pack("<f", 1.0) * n

    half = dim // heads * kv_heads
    tensors = {"token_embd.weight": matrix(vocab, dim), "output_norm.weight": norm(), "blk.0.attn_norm.weight": norm(),
               "blk.0.attn_q.weight": matrix(dim, dim), "blk.0.attn_k.weight": matrix(half, dim),
               "blk.0.attn_v.weight": matrix(half, dim), "blk.0.attn_output.weight": matrix(dim, dim),
               "blk.0.ffn_norm.weight": norm(), "blk.0.ffn_gate.weight": matrix(ffn, dim),
               "blk.0.ffn_up.weight": matrix(ffn, dim), "blk.0.ffn_down.weight": matrix(dim, ffn)}
    if experts:
        metadata |= {f"{arch}.expert_count": experts, f"{arch}.expert_used_count": 2}
        for name in ("gate", "up", "down"):
            dims, of, data = tensors.pop(f"blk.0.ffn_{name}.weight")
            tensors[f"blk.0.ffn_{name}_exps.weight"] = [*dims, experts], of, data * experts
        tensors["blk.0.ffn_gate_inp.weight"] = matrix(experts, dim, 0)
    if arch == "qwen2":
        tensors.update({"blk.0.attn_q.bias": norm(), "blk.0.attn_k.bias": norm(half), "blk.0.attn_v.bias": norm(half)})
    if arch == "qwen3":
        tensors.update({"blk.0.attn_q_norm.weight": norm(dim // heads), "blk.0.attn_k_norm.weight": norm(dim // heads)})
    return gguf(metadata, tensors)


SPM = {"tokenizer.ggml.model": "llama",
       "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab"],
       "tokenizer.ggml.scores": [0.0, 0.0, 0.0, -1.0, -2.0, -3.0, -4.0, -5.0],
       "tokenizer.ggml.token_type": [2, 3, 3, 1, 1, 1, 1, 1],
       "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2, "tokenizer.ggml.add_bos_token": True}
PRINTABLE = [*range(0x21, 0x7f), *range(0xa1, 0xad), *range(0xae, 0x100)]
BYTES = [chr(b) for b in PRINTABLE] + [chr(0x100 + i) for i in range(256 - len(PRINTABLE))]  # as in GPT-2
BPE = {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
       "tokenizer.ggml.tokens": [*BYTES, "ab", "\u0120a", "<|end|>"],
       "tokenizer.ggml.merges": ["a b", "\u0120 a"], "tokenizer.ggml.token_type": [1] * 258 + [3],
       "tokenizer.ggml.bos_token_id": 258, "tokenizer.ggml.eos_token_id": 258}


def safetensors(tensors):
    header = json.dumps(tensors).encode()
    end = max([t["data_offsets"][1] for n, t in tensors.items() if n != "__metadata__"], default=0)
    return struct.pack("<Q", len(header)) + header + b"\1" * end


def write(out, target, name, data):
    if len(data) <= MAX_SEED:
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def templates_in(golden):
    """Yields every string in the golden file that looks like a template."""
    if isinstance(golden, dict):
        golden = list(golden.values())
    if isinstance(golden, list):
        for value in golden:
            yield from templates_in(value)
    elif isinstance(golden, str) and ("{%" in golden or "{{" in golden):
        yield golden


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    for arch, kind, tokenizer in [("llama", 0, SPM), ("llama", 8, BPE), ("llama", 2, SPM), ("qwen2", 8, BPE),
                                  ("qwen3", 2, BPE)]:
        write(out, "gguf", f"{arch}-{kind}.gguf", model(arch, kind, tokenizer))
    write(out, "gguf", "mixtral.gguf", model("llama", 2, SPM, experts=3))
    for path in golden_files("*.gguf"):
        write(out, "gguf", path.name, path.read_bytes())

    def entry(dtype, shape, begin, end):
        return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}

    for name, tensors in {
        "empty": {}, "one": {"w": entry("F32", [2, 3], 0, 24)},
        "several": {"__metadata__": {"format": "pt"}, "a": entry("BF16", [4], 0, 8), "b": entry("F16", [2, 2, 2], 8, 24),
                    "c": entry("I64", [1], 24, 32), "d": entry("F8_E4M3", [5], 32, 37), "e": entry("F32", [], 37, 41)},
    }.items():
        write(out, "safetensors", name, b"\0" + safetensors(tensors))
    index = {"metadata": {"total_size": 48}, "weight_map": {"a.weight": "a.safetensors", "b.weight": "b.safetensors"}}
    write(out, "safetensors", "index", b"\1" + json.dumps(index).encode())

    for number, folder in enumerate(sorted(p for p in PARITY.iterdir() if p.is_dir())):
        write(out, "hf_config", folder.name, bytes([number]) + (folder / "config.json").read_bytes())

    vocabularies = sorted([*golden_files("tokenizer.json"), *golden_files("tokenizer.model")])
    for path in vocabularies:
        write(out, path.name.replace(".", "_"), path.parent.name, path.read_bytes())
    golden = json.loads((COMMON / "text" / "chat" / "golden" / "chat_template_golden.json").read_text(encoding="utf-8"))
    for number, text in enumerate(sorted(set(templates_in(golden)))):
        write(out, "chat_template", str(number), text.encode())
    texts = ["Once upon a time", "don't\n\n  12345 <s> x", "\u00e9\u4e2d\U0001f600 \u0e33\u0301\ufb01 \u00df \u0130 \uac00",
             "<|endoftext|><unk></s>[CLS]", "\t\r\n \u00a0\u3000\u200b", "a" * 300]
    for number in range(32):
        for i, text in enumerate(texts):
            write(out, "encode", f"{number}-{i}", bytes([number]) + text.encode())


if __name__ == "__main__":
    main()
