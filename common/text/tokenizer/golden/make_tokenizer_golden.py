"""Uses the Hugging Face `tokenizers` library to write the golden files of parity_test.cpp.

    python common/text/tokenizer/golden/make_tokenizer_golden.py TEXT [--tiny models/tiny]

TEXT is any English text of a few hundred kilobytes. The script writes these files next to itself:
    tokenizer_NAME/tokenizer.json   three small tokenizers that the script trains, one per kind that Rung reads
    tokenizer_golden.json           texts, the library's ids of them per tokenizer, and the version of the library
If --tiny is given, the golden file also contains the ids of its tokenizer.
"""
import argparse
import hashlib
import json
import random
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
SPACE = "\u2581"


def texts() -> list[str]:
    fixed = ["", " ", "  ", "\n", " \n\n  x", "Hello, world!", " Hello", "I'll say it's TOM'S, 'twas'n't", "12345 678 9",
             "a<|end|>b", "<|end|> <|end|>c", "x<note>y <note> z", "<s>a</s> b", "caf\u00e9 na\u00efve \u00dcber",
             "\u4f60\u597d\uff0c\u4e16\u754c\u3002", "\U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467", "\u180e x\u180e y",
             "\u00a0non\u2003breaking\u3000 spaces\u0085", "tab\there\r\nand\rthere", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",
             "e\u0301 combining", "\u0661\u0662\u0663 \u00bd \u2167", "if (x==1) { return -x; } // done...", "\u017fize 'S 'ſ",
             "\x00\x01\x7f", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "thethethethe the the", "\U0010fffd\ue000"]
    rng = random.Random(7)
    alphabet = "abcde fgh  thenig'ST.,!?\n\t0123\u00e9\u00df\u4e2d\U0001f600\u0301\u2028\u180e"
    return fixed + ["".join(rng.choices(alphabet, k=rng.randrange(1, 60))) for _ in range(60)]


def train_byte_level(corpus: str) -> Tokenizer:
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator([corpus], trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.add_special_tokens(["<|start|>", "<|end|>"])
    t.add_tokens([AddedToken("<note>", normalized=False)])
    start = t.token_to_id("<|start|>")
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|start|> $A", special_tokens=[("<|start|>", start)])])
    return t


def train_spm(corpus: str, metaspace: bool) -> Tokenizer:
    t = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    named = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    marks = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    t.normalizer = marks
    words = corpus.split()
    t.train_from_iterator([" ".join(words[i:i + 3]) for i in range(0, len(words), 3)], trainers.BpeTrainer(
        vocab_size=700, special_tokens=named, show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    t.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(),
                                   decoders.Strip(" ", 1, 0)])
    data = json.loads(t.to_str())
    data["added_tokens"] = data["added_tokens"][:3]  # bytes are ordinary entries, as in Llama 2
    if metaspace:
        data["normalizer"] = None
        data["pre_tokenizer"] = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "first", "split": False}
    return Tokenizer.from_str(json.dumps(data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--tiny", type=Path)
    a = parser.parse_args()
    corpus = a.text.read_text(encoding="utf-8")[:300_000]
    made = {"byte_level": train_byte_level(corpus), "spm": train_spm(corpus, False),
            "metaspace": train_spm(corpus, True)}
    folders = {}
    for name, tokenizer in made.items():
        folder = HERE / f"tokenizer_{name}"
        folder.mkdir(exist_ok=True)
        # These files are data, so a single line is enough.
        (folder / "tokenizer.json").write_text(
            json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        folders[f"common/text/tokenizer/golden/tokenizer_{name}"] = folder
    if a.tiny:
        folders["models/tiny"] = a.tiny
    golden = {"tokenizers_version": tokenizers.__version__, "texts": texts(), "ids": {}}
    for name, folder in folders.items():
        raw = (folder / "tokenizer.json").read_bytes()
        tokenizer = Tokenizer.from_str(raw.decode("utf-8"))
        golden["ids"][name] = {"sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw),
                               "ids": [tokenizer.encode(text).ids for text in golden["texts"]]}
    lines = json.dumps(golden, ensure_ascii=True, separators=(",", ":"))
    (HERE / "tokenizer_golden.json").write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
