"""Makes thousands of small random tokenizers, and compares Rung's ids and texts with those of the library.

    python common/text/tokenizer/golden/make_tokenizer_small.py --tool build/bin/tokenize_lines [--count 20000] [--write]

Each tokenizer has a model of a few tokens, added tokens with random flags, and random steps before and after the model.
Most important is the random decoder, because a file can request combinations that large tokenizers rarely have. The
Hugging Face `tokenizers` library computes the correct ids of random texts and the correct texts of random ids. A stream
of the same ids must return the same text. --write stores a sample in tokenizer_small.json next to this file, which
small_parity_test.cpp reads.
"""
import argparse
import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import tokenizers
from tokenizers import Tokenizer

OUT = Path(__file__).parent / "tokenizer_small.json"
SPACE = "\u2581"
LETTERS = ["a", "b", "c", "Z", "z", "\u00e9", "\u4e2d", "\U0001f600", "0", "1", "_", SPACE, " ", "\n", "<", ">", "#", ".", "'", "\u0120"]
WORDS = ["ab", "abc", "bc", "##a", "##b", "##bc", "a</w>", "b</w>", "</w>", "n't", "do", "not", "'s", SPACE + "a", SPACE + "ab", SPACE + SPACE,
         "  ", "\n\n", "<pad>", "|", "a|b", "<unk>", "[UNK]", "<x>", "<x>b", "zz", "\u00c3", "\u00a9", "\u00c3\u00a9", "\u0120a", " ", ".", "aa", "##"]
BYTES = ["<0xC3>", "<0xA9>", "<0xE4>", "<0xB8>", "<0xAD>", "<0x61>", "<0x62>", "<0x20>", "<0x0A>", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>",
         "<0xE2>", "<0x96>", "<0x81>"]


class Maker:
    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, *choices):
        return self.random.choice(choices)

    def some(self, choices: list, least: int, most: int) -> list:
        return self.random.sample(choices, min(len(choices), self.random.randint(least, most)))

    def pattern(self):
        return self.pick({"String": SPACE}, {"String": "a"}, {"String": "ab"}, {"String": " "}, {"String": "aa"}, {"String": "\u00e9"},
                         {"Regex": "a+"}, {"Regex": "[ab]"}, {"Regex": "x*"}, {"Regex": "\\s+"}, {"Regex": "^."}, {"Regex": ".$"},
                         {"String": ""})

    def decoder_step(self):
        r = self.random
        return self.pick(
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            {"type": "WordPiece", "prefix": self.pick("##", "##", "a", "", SPACE), "cleanup": self.chance(0.5)},
            {"type": "Metaspace", "replacement": self.pick(SPACE, SPACE, "a", "\u00e9"), "split": self.chance(0.5),
             "prepend_scheme": self.pick("always", "first", "never")},
            {"type": "BPEDecoder", "suffix": self.pick("</w>", "</w>", "b", "ab", "")},
            {"type": "Strip", "content": self.pick(" ", SPACE, "a", "\u00e9"), "start": r.randint(0, 2), "stop": self.pick(0, 0, 1, 2)},
            {"type": "Replace", "pattern": self.pattern(), "content": self.pick(" ", "", "b", "aa", SPACE, "\u00e9")},
            {"type": "Fuse"},
            {"type": "Fuse"},
            {"type": "ByteFallback"},
            {"type": "ByteFallback"},
            {"type": "CTC", "pad_token": self.pick("<pad>", "a", ""), "word_delimiter_token": self.pick("|", "b", ""),
             "cleanup": self.chance(0.5)})

    def decoder(self):
        llama = [{"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                 {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
        kind = self.random.random()
        if kind < 0.1:
            return None
        if kind < 0.2:
            return {"type": "Sequence", "decoders": llama[:self.random.randint(2, 4)]}
        if kind < 0.55:
            return self.decoder_step()
        steps = [self.decoder_step() for _ in range(self.random.randint(1, 5))]
        if self.chance(0.2):
            steps = [{"type": "Sequence", "decoders": steps[:2]}] + steps[2:]
        return {"type": "Sequence", "decoders": steps}

    def normalizer(self):
        steps = [{"type": "Lowercase"}, {"type": "NFC"}, {"type": "NFD"}, {"type": "Prepend", "prepend": SPACE},
                 {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
                 {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}, {"type": "Strip", "strip_left": True, "strip_right": False}]
        if self.chance(0.6):
            return None
        if self.chance(0.6):
            return self.random.choice(steps)
        return {"type": "Sequence", "normalizers": self.some(steps, 1, 3)}

    def pre_tokenizer(self):
        if self.chance(0.4):
            return None
        return self.pick(
            {"type": "Whitespace"}, {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": self.pick("always", "first", "never"), "split": self.chance(0.5)},
            {"type": "Split", "pattern": {"String": " "}, "behavior": self.pick("Isolated", "Removed", "MergedWithNext"), "invert": False},
            {"type": "Punctuation", "behavior": "Isolated"},
            {"type": "ByteLevel", "add_prefix_space": self.chance(0.5), "trim_offsets": True, "use_regex": self.chance(0.5)})

    def vocabulary(self) -> list[str]:
        tokens = self.some(LETTERS, 3, len(LETTERS)) + self.some(WORDS, 0, 14)
        if self.chance(0.4):
            tokens += self.some(BYTES, 1, len(BYTES)) if self.chance(0.6) else BYTES
        tokens = list(dict.fromkeys(tokens))
        self.random.shuffle(tokens)
        return tokens

    def model(self) -> dict:
        tokens = self.vocabulary()
        unknown = self.pick("<unk>", "[UNK]", self.random.choice(tokens), self.random.choice(tokens), None)
        if unknown is not None and unknown not in tokens and self.chance(0.8):
            tokens.append(unknown)
        kind = self.pick("BPE", "BPE", "BPE", "Unigram", "WordPiece", "WordLevel")
        if kind == "Unigram":
            id_of = tokens.index(unknown) if unknown in tokens else None
            scores = [self.pick(-1.0, -2.0, -5.5, -0.25, 0.0, 30.0, 12.0) if self.chance(0.3) else -self.random.uniform(0, 9) for _ in tokens]
            return {"type": kind, "unk_id": id_of, "byte_fallback": self.chance(0.5), "vocab": [list(pair) for pair in zip(tokens, scores)]}
        if kind == "BPE":
            affixed = self.chance(0.2)
            prefix = self.pick("##", None) if affixed else None
            suffix = self.pick("</w>", None) if affixed else None
            merges = {}
            for _ in range(self.random.randint(0, 14)):
                left, right = self.random.choice(tokens), self.random.choice(tokens)
                if prefix and not right.startswith(prefix):
                    continue
                joined = left + right[len(prefix or ""):]
                if len(joined) > 12 or not left or not right:
                    continue
                merges[(left, right)] = None
                if joined not in tokens:
                    tokens.append(joined)
            return {"type": kind, "dropout": None, "unk_token": unknown, "continuing_subword_prefix": prefix, "end_of_word_suffix": suffix,
                    "fuse_unk": self.chance(0.5), "byte_fallback": self.chance(0.5), "ignore_merges": self.chance(0.4),
                    "vocab": {token: i for i, token in enumerate(tokens)}, "merges": [list(pair) for pair in merges]}
        model = {"type": kind, "unk_token": unknown or "<unk>", "vocab": {token: i for i, token in enumerate(tokens)}}
        if kind == "WordPiece":
            model.update(continuing_subword_prefix=self.pick("##", "##", "", "a"), max_input_chars_per_word=self.pick(100, 3))
        return model

    def added(self, model: dict) -> list[dict]:
        own = [pair[0] for pair in model["vocab"]] if model["type"] == "Unigram" else list(model["vocab"])
        contents = self.some(own + WORDS + LETTERS + ["<e>", "<e> ", " <e>", "AB", "\u00c9", "a b", "\n", "<e>\n", "b\n\n", "e\u0301"], 0, 7)
        found, next_id = [], len(own)
        for content in dict.fromkeys(contents):
            if content in own:
                number = own.index(content)
            else:
                number, next_id = next_id, next_id + 1
            found.append({"id": number, "content": content, "single_word": self.chance(0.2), "lstrip": self.chance(0.25), "rstrip": self.chance(0.25),
                          # A normalizer may remove white space, and the library would find the empty token everywhere.
                          "normalized": bool(content.strip()) and self.chance(0.3), "special": self.chance(0.4)})
        return found

    def tokenizer(self) -> dict:
        model = self.model()
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": self.added(model), "normalizer": self.normalizer(),
                "pre_tokenizer": self.pre_tokenizer(), "post_processor": None, "decoder": self.decoder(), "model": model}

    def texts(self, root: dict, count: int) -> list[str]:
        own = [pair[0] for pair in root["model"]["vocab"]] if root["model"]["type"] == "Unigram" else list(root["model"]["vocab"])
        parts = own + [token["content"] for token in root["added_tokens"]] * 4 + LETTERS + [" ", "  ", "\n", " \n\n "] * 2 + ["\u00a0", "AB", "\u00e8", "\u2603"]
        return ["".join(self.random.choice(parts) for _ in range(self.random.randint(1, 12))) for _ in range(count)]

    def id_lists(self, root: dict, count: int) -> list[list[int]]:
        size = max([len(root["model"]["vocab"])] + [token["id"] + 1 for token in root["added_tokens"]])
        lists = [[self.random.randrange(size) for _ in range(self.random.randint(0, 9))] for _ in range(count)]
        return [[i for i in ids for _ in range(self.pick(1, 1, 1, 2))] for ids in lists]


def answer(call):
    """Returns the result of the library, or None if it fails (its decoders panic for some texts)."""
    try:
        return call()
    except BaseException as error:  # noqa: BLE001: a panic is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return None


def ambiguous(root: dict, oracle: Tokenizer) -> bool:
    """Whether two added tokens have the same normalized text. The library's hash function then selects one of them."""
    texts = [token["content"] for token in root["added_tokens"] if token["normalized"]]
    if oracle.normalizer:
        texts = [oracle.normalizer.normalize_str(text) for text in texts]
    return len(set(texts)) < len(texts)


def make_cases(first_seed: int, count: int):
    """Yields the cases that the library supports: seed, input, correct ids and correct texts."""
    for seed in range(first_seed, first_seed + count):
        maker = Maker(seed)
        root = maker.tokenizer()
        oracle = answer(lambda: Tokenizer.from_str(json.dumps(root)))
        if oracle is None or ambiguous(root, oracle):
            continue
        texts, lists = maker.texts(root, 6), maker.id_lists(root, 6)
        ids = [answer(lambda: oracle.encode(text, add_special_tokens=False).ids) for text in texts]
        back = [answer(lambda: oracle.decode(numbers, skip_special_tokens=True)) for numbers in lists]
        yield seed, {"tokenizer": root, "texts": texts, "ids": lists}, ids, back


def ours(tool: Path, cases: list) -> list:
    """Returns Rung's results, or the message of an error if Rung rejects the tokenizer."""
    payload = "".join(json.dumps(question) + "\n" for _, question, _, _ in cases)
    run = subprocess.run([tool, "--tokenizers"], input=payload.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.decode().split("\n") if line]


def compare(tool: Path, cases: list, show: int) -> Counter:
    answers = ours(tool, cases)
    counts = Counter()

    def differs(what: str, seed: int, question: dict, *details) -> None:
        counts[what] += 1
        if counts[what] <= show:
            print(f"{what}, seed {seed}: {json.dumps(question['tokenizer'], ensure_ascii=False)}\n   ", *map(repr, details), flush=True)

    for (seed, question, ids, back), got in zip(cases, answers, strict=True):
        counts["tokenizers"] += 1
        if isinstance(got, str):
            counts["refused: " + got.split(": ", 1)[1][:60]] += 1
            continue
        for text, expected, found in zip(question["texts"], ids, got["ids"], strict=True):
            counts["texts"] += expected is not None
            if expected is None:
                counts["texts that the library fails on"] += 1
            elif found != expected:
                differs("other ids", seed, question, text, expected, found)
        for numbers, expected, answered in zip(question["ids"], back, got["texts"], strict=True):
            found, parts = answered["text"], answered["parts"]
            counts["lists of ids"] += expected is not None
            if expected is None:
                counts["lists of ids that the library fails on"] += 1
            elif found != expected:
                differs("other text", seed, question, numbers, expected, found)
            if "".join(parts) != found:
                differs("other stream", seed, question, numbers, found, parts)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3, help="number of differences of each kind to print")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--sample", type=int, default=250)
    a = parser.parse_args()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # hides the panics that the library reports on stderr
    total = Counter()
    for first in range(a.seed, a.seed + a.count, 2000):
        total += compare(a.tool, list(make_cases(first, min(2000, a.seed + a.count - first))), a.show)
    for what, number in sorted(total.items()):
        print(f"{number:8} {what}")
    if a.write:
        sample = list(make_cases(10**6, a.sample))
        lines = [json.dumps({**question, "right_ids": ids, "right_texts": back}, ensure_ascii=True, separators=(",", ":"))
                 for (_, question, ids, back), got in zip(sample, ours(a.tool, sample), strict=True) if not isinstance(got, str)]
        OUT.write_text(f'{{"tokenizers":"{tokenizers.__version__}","cases":[\n' + ",\n".join(lines) + "\n]}\n")
    return any(total[what] for what in ("other ids", "other text", "other stream"))


if __name__ == "__main__":
    sys.exit(main())
