"""Text -> tokens: make the dialogues, train the tokenizer, then write everything as files of uint16 token ids.

    python prepare.py --corpus DIR --out WORK

DIR holds train-00.txt.gz, train-01.txt.gz, tinystories_sample.txt.gz, sources.tsv.gz and valid.txt
(documents divided by a line holding only <|endoftext|>). WORK receives

    dialogues.jsonl  conversations derived from the stories (dialogues.py)
    tokenizer.json   byte-level BPE with GPT-2's pre-tokenizer, 4,096 entries; ids 0 to 3 are chat.SPECIAL
    train.bin        uint16 ids; every document is preceded by id 0; documents of a group lie together
    valid.bin        the same for valid.txt, which nothing is ever trained on
    meta.json        where each group lies in train.bin, and sizes in bytes and tokens
"""
import argparse
import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

import chat
import dialogues
from corpus import read_documents, read_groups


def train_tokenizer(texts: list[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=chat.SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    # <|endoftext|> also begins every text: it is what the model saw before the first word of a document.
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{chat.END} $A", pair=f"{chat.END} $A {chat.END} $B", special_tokens=[(chat.END, 0)])
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str], begin: bool = True) -> np.ndarray:
    """begin: put id 0 before each text; a rendered conversation has it already"""
    return np.concatenate([np.array(p.ids, dtype=np.uint16)
                           for p in tokenizer.encode_batch(texts, add_special_tokens=begin)])


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--vocab", type=int, default=4096)
    args.add_argument("--dialogues", type=int, default=6000)
    args.add_argument("--seed", type=int, default=1)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)

    groups = read_groups(a.corpus)
    conversations = dialogues.make(groups, a.dialogues, a.seed)
    (a.out / "dialogues.jsonl").write_text(
        "".join(json.dumps({"messages": c}) + "\n" for c in conversations), encoding="utf-8")
    texts = {name: [d.text for d in documents] for name, documents in groups.items()}
    tokenizer = train_tokenizer([t for g in texts.values() for t in g], a.vocab)
    assert [tokenizer.id_to_token(i) for i in range(4)] == chat.SPECIAL
    tokenizer.save(str(a.out / "tokenizer.json"))

    meta, parts, at = {"vocab": tokenizer.get_vocab_size(), "groups": {}}, [], 0
    texts["dialogues"] = [chat.render(c) for c in conversations]
    for name, group in texts.items():
        ids = encode(tokenizer, group, begin=name != "dialogues")
        meta["groups"][name] = {"begin": at, "end": at + len(ids), "documents": len(group),
                                "bytes": sum(len(t.encode()) for t in group), "tokens": len(ids)}
        assert np.count_nonzero(ids == 0) == len(group)
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
