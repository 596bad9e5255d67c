"""Text -> tokens: train the tokenizer, then write the corpus as one file of uint16 token ids.

    python prepare.py --corpus DIR --out WORK

DIR holds train-00.txt.gz, train-01.txt.gz, tinystories_sample.txt.gz, sources.tsv.gz and valid.txt
(documents divided by a line holding only <|endoftext|>). WORK receives

    tokenizer.json   byte-level BPE with GPT-2's pre-tokenizer, 2048 entries, id 0 is <|endoftext|>
    train.bin        uint16 ids; every document is preceded by id 0; documents of a group lie together
    valid.bin        the same for valid.txt, which nothing is ever trained on
    meta.json        where each group lies in train.bin, and sizes in bytes and tokens
"""
import argparse
import csv
import gzip
import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END = "<|endoftext|>"
# Pages written for small children; with the TinyStories sample they form the group "simple".
PICTURE_BOOKS = {"African Storybook", "Pratham Books / StoryWeaver"}


def read_documents(path: Path) -> list[str]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [d for d in raw.decode("utf-8").split(f"\n{END}\n") if d.strip()]


def read_groups(corpus: Path) -> dict[str, list[str]]:
    """Documents by how hard they are to read: simple, tales, novels."""
    with gzip.open(corpus / "sources.tsv.gz", "rt", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    groups = {"simple": read_documents(corpus / "tinystories_sample.txt.gz"), "tales": [], "novels": []}
    for name in ("train-00.txt", "train-01.txt"):
        documents = read_documents(corpus / f"{name}.gz")
        about = [r for r in rows if r["file"] == name]
        assert len(documents) == len(about), f"{name}: {len(documents)} documents, {len(about)} rows"
        for text, row in zip(documents, about):
            if row["book_or_collection"] in PICTURE_BOOKS:
                groups["simple"].append(text)
            elif row["category"] == "short-tales-and-childrens":
                groups["tales"].append(text)
            else:
                groups["novels"].append(text)
    return groups


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    # <|endoftext|> also begins every text: it is what the model saw before the first word of a document.
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", pair=f"{END} $A {END} $B", special_tokens=[(END, 0)])
    return tokenizer


def encode(tokenizer: Tokenizer, documents: list[str]) -> np.ndarray:
    pieces = tokenizer.encode_batch(documents)  # each begins with id 0, from the post-processor
    return np.concatenate([np.array(p.ids, dtype=np.uint16) for p in pieces])


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--vocab", type=int, default=2048)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)

    groups = read_groups(a.corpus)
    tokenizer = train_tokenizer([t for g in groups.values() for t in g], a.vocab)
    tokenizer.save(str(a.out / "tokenizer.json"))

    meta, parts, at = {"vocab": tokenizer.get_vocab_size(), "groups": {}}, [], 0
    for name, documents in groups.items():
        ids = encode(tokenizer, documents)
        size = sum(len(d.encode()) for d in documents)
        meta["groups"][name] = {"begin": at, "end": at + len(ids), "documents": len(documents), "bytes": size}
        parts.append(ids)
        at += len(ids)
    np.concatenate(parts).tofile(a.out / "train.bin")

    valid = read_documents(a.corpus / "valid.txt")
    ids = encode(tokenizer, valid)
    ids.tofile(a.out / "valid.bin")
    meta["valid"] = {"documents": len(valid), "bytes": sum(len(d.encode()) for d in valid), "tokens": len(ids)}
    (a.out / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    print(json.dumps(meta, indent=1))


if __name__ == "__main__":
    main()
