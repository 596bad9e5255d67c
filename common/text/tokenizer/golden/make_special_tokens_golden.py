#!/usr/bin/env python3
"""Writes special_tokens_golden.json: folders whose special tokens are defined in different files, and the results of
AutoTokenizer for them. Needs transformers 5.24.

Run as: python3 make_special_tokens_golden.py [COUNT [FIRST_SEED]]
COUNT is the number of random folders in addition to the handwritten ones (default: 100).
"""

import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
from transformers import AutoTokenizer, GenerationConfig  # noqa: E402
from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402

TEXTS = ["hello", "hello <s>world</s> hello", "a<|x|> <|y|>\nhello<|x|>b", "othello <pad><|stop|> <img>a", "<unk>hello<bos> x"]
POOL = ["<s>", "</s>", "<|x|>", "<|y|>", "hello", "<pad>", "<|stop|>", "<img>", "<unk>", "<bos>", "<|endoftext|>"]
ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
CLASSES = [None, "PreTrainedTokenizerFast", "TokenizersBackend", "LlamaTokenizerFast", "LlamaTokenizer"]
TYPES = ["llama", "mistral", "olmo2", "granite", "phi3", "smollm3", "stablelm"]


def base():
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {"<s>": 0, "</s>": 1}
    for letter in letters:
        vocab[letter] = len(vocab)
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("w", "o"), ("wo", "r"), ("Ġ", "x")]
    for left, right in merges:
        vocab[left + right] = len(vocab)
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return json.loads(tokenizer.to_str())


def added(number, text, **flags):
    token = {"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {**token, **flags}


def decoder_entry(text, **flags):
    return {"content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True, **flags}


def template(*before):
    parts = [{"SpecialToken": {"id": text, "type_id": 0}} for text, _ in before]
    parts.append({"Sequence": {"id": "A", "type_id": 0}})
    named = {text: {"id": text, "ids": [number], "tokens": [text]} for text, number in before}
    return {"type": "TemplateProcessing", "single": parts, "pair": parts + [{"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": named}


OWN = [added(0, "<s>"), added(1, "</s>")]


def by_hand(size):
    """Yields name, added tokens of tokenizer.json, post-processor and other files of each handwritten folder."""
    fast = {"tokenizer_class": "PreTrainedTokenizerFast"}
    yield "nothing", OWN, None, {}
    yield "no tokens of its own", [], None, {}
    yield "post-processor against add_bos_token", OWN, template(("<s>", 0)), {"tokenizer_config": {**fast, "bos_token": "<s>", "add_bos_token": False}}
    yield "add_bos_token without a post-processor", OWN, None, {"tokenizer_config": {**fast, "bos_token": "<s>", "add_bos_token": True}}
    yield "bos_token is null", OWN, None, {"tokenizer_config": {**fast, "bos_token": None, "eos_token": None, "add_bos_token": True}}
    yield "bos_token is not in the vocabulary", OWN, None, {"tokenizer_config": {**fast, "bos_token": "<bos>", "eos_token": "</s>"}}
    yield "eos_token is a word", OWN, None, {"tokenizer_config": {**fast, "eos_token": "hello"}}
    yield "an id that is not the next", [*OWN, added(size + 23, "<|x|>")], None, {"tokenizer_config": fast}
    yield "added_tokens_decoder adds", OWN, None, {"tokenizer_config": {**fast, "added_tokens_decoder": {str(size + 3): decoder_entry("<|x|>", special=False)}}}
    yield "added_tokens_decoder changes flags", [*OWN, added(size, "<|x|>", special=False)], None, {
        "tokenizer_config": {**fast, "added_tokens_decoder": {str(size): decoder_entry("<|x|>", lstrip=True, rstrip=True, special=False)}}}
    yield "added_tokens_decoder hides special_tokens_map", OWN, None, {
        "tokenizer_config": {**fast, "eos_token": "</s>", "added_tokens_decoder": {}}, "special_tokens_map": {"eos_token": "hello", "bos_token": "<s>"}}
    yield "special_tokens_map", OWN, None, {
        "tokenizer_config": fast, "special_tokens_map": {"bos_token": "<s>", "eos_token": {"content": "<|stop|>", "lstrip": False, "rstrip": True, "normalized": False, "single_word": False}}}
    yield "special_tokens_map wins", OWN, None, {"tokenizer_config": {**fast, "eos_token": "</s>"}, "special_tokens_map": {"eos_token": "hello", "additional_special_tokens": ["<|y|>"]}}
    yield "added_tokens", OWN, None, {"tokenizer_config": fast, "added_tokens": {"<|x|>": size}}
    yield "added_tokens with gaps", OWN, None, {"tokenizer_config": {**fast, "eos_token": "<|y|>"}, "added_tokens": {"<|x|>": size + 40, "<|y|>": size + 4, "hello": 5}}
    yield "additional_special_tokens", OWN, None, {"tokenizer_config": {**fast, "additional_special_tokens": ["<|x|>"]}}
    yield "extra_special_tokens as a list", OWN, None, {"tokenizer_config": {**fast, "extra_special_tokens": ["<|y|>", "<|x|>"]}}
    yield "extra_special_tokens by name", OWN, None, {"tokenizer_config": {**fast, "extra_special_tokens": {"image_token": "hello", "sound_token": "<|y|>"}}}
    yield "a role of its own", OWN, None, {"tokenizer_config": {**fast, "image_token": "<img>", "bos_token": "<s>"}}
    yield "generation_config ends", [*OWN, added(size, "<|stop|>")], None, {"tokenizer_config": fast, "generation_config": {"eos_token_id": [1, size]}}
    yield "config ends", [*OWN, added(size, "<|stop|>")], None, {"tokenizer_config": {**fast, "bos_token": "<s>"}, "config": {"model_type": "llama", "eos_token_id": [1, size]}}
    yield "config ends with one", OWN, None, {"config": {"model_type": "olmo2", "eos_token_id": 1}}
    for model_type in ("llama", "gpt2", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "mistral", "smollm3"):
        yield f"the class of {model_type}", OWN, None, {"config": {"model_type": model_type}}
    yield "another class for mistral", OWN, None, {"tokenizer_config": {"tokenizer_class": "LlamaTokenizer"}, "config": {"model_type": "mistral"}}


def at_random(size, rng):
    texts = rng.sample(POOL, 7)
    own = [*OWN]
    for text in texts[:rng.randrange(3)]:
        if text not in ("<s>", "</s>"):
            number = size - 7 + 3 if text == "hello" else size + sum(token["id"] >= size for token in own)
            own.append(added(number, text, special=rng.random() < 0.5, lstrip=rng.random() < 0.2, rstrip=rng.random() < 0.2))
    own = [token for token in own if token["content"] != " "]

    def token(plain):
        text = rng.choice(texts)
        if plain or rng.random() < 0.6:
            return text
        return {"content": text, "lstrip": rng.random() < 0.3, "rstrip": rng.random() < 0.3, "normalized": False, "single_word": rng.random() < 0.2}

    config, files = {}, {}
    chosen = rng.choice(CLASSES)
    if chosen:
        config["tokenizer_class"] = chosen
    for role in rng.sample(ROLES, rng.randrange(5)):
        value = token(True)
        config[role] = None if rng.random() < 0.1 else value
    if rng.random() < 0.3:
        config[rng.choice(["image_token", "video_token"])] = token(True)
    if rng.random() < 0.3:
        config[rng.choice(["additional_special_tokens", "extra_special_tokens"])] = [token(True) for _ in range(rng.randrange(1, 4))]
    elif rng.random() < 0.3:
        config["extra_special_tokens"] = {rng.choice(["image_token", "sound_token"]): token(True)}
    if rng.random() < 0.4:
        decoder = {}
        for number in sorted(rng.sample(range(size + 9), rng.randrange(4))):
            decoder[str(number)] = decoder_entry(rng.choice(texts), lstrip=rng.random() < 0.3, rstrip=rng.random() < 0.3, special=rng.random() < 0.6)
        config["added_tokens_decoder"] = decoder
    if rng.random() < 0.5:
        files["special_tokens_map"] = {role: token(False) for role in rng.sample([*ROLES, "image_token"], rng.randrange(4))}
        if rng.random() < 0.3:
            files["special_tokens_map"]["additional_special_tokens"] = [token(True)]
    if rng.random() < 0.4:
        files["added_tokens"] = {text: size + i * rng.randrange(1, 3) for i, text in enumerate(rng.sample(texts, rng.randrange(4)))}
    if config or rng.random() < 0.5:
        files["tokenizer_config"] = config
    files["config"] = {"model_type": rng.choice(TYPES)}
    post = template(("<s>", 0)) if rng.random() < 0.3 else None
    return own, post, files


def expected(folder, files):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    roles = [[role, text] for role, text in tokenizer.special_tokens_map.items()]
    found = {"ids": [tokenizer(text)["input_ids"] for text in TEXTS], "roles": roles}
    if "eos_token_id" in files.get("generation_config", {}):
        found["ends"] = GenerationConfig.from_pretrained(folder).eos_token_id
    elif "eos_token_id" in files["config"]:
        ends = files["config"]["eos_token_id"]
        found["ends"] = ends if isinstance(ends, list) else [ends]
    return found


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    root = base()
    size = len(root["model"]["vocab"])
    cases = []
    named = list(by_hand(size))
    for seed in range(first, first + count):
        named.append((f"random {seed}", *at_random(size, random.Random(seed))))
    for name, own, post, files in named:
        files.setdefault("config", {"model_type": "llama"})
        folder = Path(tempfile.mkdtemp())
        (folder / "tokenizer.json").write_text(json.dumps({**root, "added_tokens": own, "post_processor": post}))
        for file, content in files.items():
            (folder / f"{file}.json").write_text(json.dumps(content))
        try:
            result = expected(folder, files)
        except Exception as error:  # folders that the library rejects are not compared
            print(f"left out: {name}: {type(error).__name__}: {str(error)[:120]}", file=sys.stderr)
            continue
        finally:
            shutil.rmtree(folder)
        cases.append({"name": name, "added_tokens": own, "post_processor": post, "files": files, **result})
    target = Path(os.environ.get("OUT", Path(__file__).with_name("special_tokens_golden.json")))
    lines = ",\n".join(json.dumps(case) for case in cases)
    target.write_text(f'{{"texts": {json.dumps(TEXTS)},\n"tokenizer": {json.dumps(root)},\n"cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} folders -> {target}")


if __name__ == "__main__":
    main()
