#!/usr/bin/env python3
"""Checks the GGUF files that `rung convert` writes with llama.cpp, an independent reader of the same bytes.

    python3 llama_cpp_check.py --rung build/bin/rung --library libllama.so [NAME ...]

The script converts every model of models/, or the named models. llama.cpp, through its C interface, and `rung logits`
then compute the logits after the last token of the same prompts. The library can be any build of llama.cpp of 2025 or
later, such as that in the Python packages llama-cpp-python and xllamacpp.

The script prints the largest difference of two logits as a fraction of the largest logit. By default, llama.cpp's
attention keeps K and V in half precision, and for some formats its products quantize activations. The difference is
therefore about 1e-3 if both sides agree, and about 1 if they do not. With `--type f32`, only K and V are rounded. Most
families then agree to about 1e-4, and those with GELU to 1e-3, because llama.cpp reads GELU from a table.

Some models cannot agree. llama.cpp ignores the window of the architectures "llama" and "phi3" (`mistral`,
`mixtral-odd` and `phi3`, from 65 tokens on). For Gemma, it supports only the attention scale of the published models
(`gemma2`, `gemma3`). LongRoPE chooses its list of factors by the context, which is 512 on both sides here. llama.cpp
requires the tokens <unk>, <s> and <|endoftext|> in files whose general.name contains "phi3", and these models do not
have them.
"""

import argparse
import ctypes
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PROMPTS = (1, 7, 65, 300)


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", ctypes.c_int32), ("token", ctypes.c_void_p), ("embd", ctypes.c_void_p),
                ("pos", ctypes.c_void_p), ("n_seq_id", ctypes.c_void_p), ("seq_id", ctypes.c_void_p),
                ("logits", ctypes.c_void_p)]


class Parameters(ctypes.Structure):
    """llama_model_params or llama_context_params. Their fields differ between versions of llama.cpp, so this has more
    space than they need. They are passed on the stack, so bytes after the end do no harm."""
    _fields_ = [("words", ctypes.c_uint32 * 128)]


class Llama:
    def __init__(self, library):
        self.lib = ctypes.CDLL(library)
        for name, result in (("llama_model_default_params", Parameters), ("llama_context_default_params", Parameters),
                             ("llama_model_load_from_file", ctypes.c_void_p), ("llama_init_from_model", ctypes.c_void_p),
                             ("llama_batch_get_one", Batch), ("llama_get_logits_ith", ctypes.POINTER(ctypes.c_float))):
            getattr(self.lib, name).restype = result
        log = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self.messages = []
        self.callback = log(lambda level, text, _: self.messages.append(text.decode(errors="replace")))
        self.lib.llama_log_set(self.callback, None)
        self.lib.llama_backend_init()

    def logits(self, path, prompts, vocab):
        self.messages.clear()
        model = self.lib.llama_model_load_from_file(str(path).encode(), self.lib.llama_model_default_params())
        if not model:
            raise RuntimeError("".join(self.messages[-3:]).strip())
        result = []
        for prompt in prompts:
            parameters = self.lib.llama_context_default_params()
            parameters.words[0] = 512  # n_ctx
            parameters.words[1] = parameters.words[2] = 512  # n_batch, n_ubatch
            context = ctypes.c_void_p(self.lib.llama_init_from_model(ctypes.c_void_p(model), parameters))
            tokens = (ctypes.c_int32 * len(prompt))(*prompt)
            if self.lib.llama_decode(context, self.lib.llama_batch_get_one(tokens, len(prompt))) != 0:
                raise RuntimeError("llama_decode failed")
            row = self.lib.llama_get_logits_ith(context, -1)
            result.append([row[i] for i in range(vocab)])
            self.lib.llama_free(context)
        self.lib.llama_model_free(ctypes.c_void_p(model))
        return result


def golden_prompts(folder):
    data = (folder / "golden.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    prompts = []
    for n in PROMPTS:
        begin, end = header[f"prompt_{n}"]["data_offsets"]
        prompts.append([int(v) for v in struct.unpack(f"<{n}f", data[8 + size + begin:8 + size + end])])
    return prompts


def last_row(rung, path, prompt, vocab):
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([rung, "logits", "-m", str(path), "--ctx", "512", "--tokens", ",".join(map(str, prompt)), "-o", out.name],
                       check=True, capture_output=True)
        return struct.unpack(f"<{vocab}f", Path(out.name).read_bytes()[-4 * vocab:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rung", required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--type", help="convert the matrices to this format")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    llama = Llama(arguments.library)
    for folder in sorted((HERE / "models").iterdir()):
        if arguments.names and folder.name not in arguments.names:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            gguf = Path(scratch) / "model.gguf"
            command = [arguments.rung, "convert", str(folder), str(gguf)]
            command += ["--type", arguments.type] if arguments.type else []
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode != 0:
                print(f"{folder.name:16} not converted: {made.stderr.strip()}")
                continue
            vocab = json.loads((folder / "config.json").read_text())["vocab_size"]
            prompts = golden_prompts(folder)
            try:
                theirs = llama.logits(gguf, prompts, vocab)
            except RuntimeError as error:
                print(f"{folder.name:16} llama.cpp: {error}")
                continue
            shares = []
            for prompt, row in zip(prompts, theirs):
                ours = last_row(arguments.rung, gguf, prompt, vocab)
                shares.append(max(abs(a - b) for a, b in zip(ours, row)) / max(abs(a) for a in ours))
            print(f"{folder.name:16} " + "  ".join(f"{n:3} tokens {s:.1e}" for n, s in zip(PROMPTS, shares)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
