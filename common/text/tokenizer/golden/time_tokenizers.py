"""Times Rung's tokenizers and the `tokenizers` and `sentencepiece` libraries on the same English text with one thread.

    python common/text/tokenizer/golden/time_tokenizers.py --tool build/bin/tokenize_lines --shared ../shared [--rounds 5]

The runs are interleaved, and the result is the median. The vocabularies are GPT-2's and Llama's in
../shared/tokenizers, and four vocabularies of 16,000 tokens that this script trains: byte-level BPE with the pipelines
of Llama 3 and Qwen 2, BERT's WordPiece, and unigram. The texts are the documents in the first 4 MB of the corpus. With
--text FILE, the text is this file as a whole.
"""
import argparse
import gzip
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import gguf
import sentencepiece
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

SPACE = "\u2581"
VOCABULARY = 16_000
# The regular expressions of the published tokenizer.json files.
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"\p{N}{1,3}" + REST
QWEN2 = CONTRACTIONS + r"\p{N}" + REST


def documents(shared: Path, size: int) -> list[str]:
    with gzip.open(shared / "data/corpus/train-00.txt.gz", "rt", encoding="utf-8") as file:
        return [text for text in file.read(size).split("\n<|endoftext|>\n") if text]


def strings(reader, key):
    field = reader.fields[key]
    return [bytes(field.parts[i]).decode("utf-8") for i in field.data]


def numbers(reader, key):
    field = reader.fields[key]
    return [field.parts[i][0] for i in field.data]


def gpt2(path: Path) -> Tokenizer:
    reader = gguf.GGUFReader(path)
    tokens = strings(reader, "tokenizer.ggml.tokens")
    merges = [tuple(m.split(" ")) for m in strings(reader, "tokenizer.ggml.merges")]
    t = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return t


def llama(path: Path) -> Tokenizer:
    """Converts the vocabulary as transformers does: every split of a token into two tokens is a merge."""
    reader = gguf.GGUFReader(path)
    tokens = strings(reader, "tokenizer.ggml.tokens")
    scores = numbers(reader, "tokenizer.ggml.scores")
    ids = {token: i for i, token in enumerate(tokens)}
    merges = []
    for i, token in enumerate(tokens):
        for cut in range(1, len(token)):
            if token[:cut] in ids and token[cut:] in ids:
                merges.append((-scores[i], ids[token[:cut]], ids[token[cut:]], token[:cut], token[cut:]))
    merges = [(left, right) for *_, left, right in sorted(merges)]
    t = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    return t


def saved(t: Tokenizer, trainer, folder: Path, texts: list[str]) -> Tokenizer:
    t.train_from_iterator(texts, trainer)
    folder.mkdir()
    t.save(str(folder / "tokenizer.json"))
    return t


def byte_level(folder: Path, texts: list[str], pattern: str, normalizer=None) -> Tokenizer:
    t = Tokenizer(models.BPE(ignore_merges=pattern == LLAMA3))
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                               pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    return saved(t, trainer, folder, texts)


def word_piece(folder: Path, texts: list[str]) -> Tokenizer:
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=["[UNK]"], show_progress=False)
    return saved(t, trainer, folder, texts)


def unigram(folder: Path, texts: list[str]) -> tuple[Tokenizer, sentencepiece.SentencePieceProcessor]:
    lines = [line for text in texts for line in text.split("\n") if line][:20_000]
    prefix = folder / "tokenizer"
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_prefix=str(prefix),
                                             vocab_size=VOCABULARY, model_type="unigram",
                                             normalization_rule_name="identity",
                                             remove_extra_whitespaces=False, minloglevel=2, num_threads=1)
    sp = sentencepiece.SentencePieceProcessor(model_file=str(prefix) + ".model")
    t = Tokenizer(models.Unigram([(sp.id_to_piece(i), sp.get_score(i)) for i in range(len(sp))], unk_id=sp.unk_id()))
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    (folder / "json").mkdir()
    t.save(str(folder / "json/tokenizer.json"))
    return t, sp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=4)
    parser.add_argument("--text", type=Path, help="time the tokenizers on this file instead of the corpus")
    a = parser.parse_args()
    sample = documents(a.shared, int(a.megabytes * 1e6))  # the training text of the vocabularies
    texts = [a.text.read_text(encoding="utf-8").replace("<|endoftext|>", "")] if a.text else sample
    size = sum(len(text.encode()) for text in texts) / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts").write_text("".join(json.dumps(text) + "\n" for text in texts))
        uni, sp = unigram(folder, sample)
        llama3 = byte_level(folder / "llama3", sample, LLAMA3)
        qwen2 = byte_level(folder / "qwen2", sample, QWEN2, normalizers.NFC())
        bert = word_piece(folder / "bert", sample)
        vocab = a.shared / "tokenizers"
        old, spm = gpt2(vocab / "vocab-gpt-2.gguf"), llama(vocab / "vocab-llama-spm.gguf")

        def ours(model):
            def run():
                with open(folder / "texts", "rb") as file:
                    out = subprocess.run([a.tool, str(model), "--time"], stdin=file, stdout=subprocess.PIPE, check=True)
                answer = json.loads(out.stdout)
                return answer["seconds"], answer["tokens"]
            return run

        def library(encode):
            def run():
                start = time.perf_counter()
                tokens = sum(len(encode(text)) for text in texts)
                return time.perf_counter() - start, tokens
            return run

        def of(tokenizer):
            return library(lambda text: tokenizer.encode(text, add_special_tokens=False).ids)

        cases = {
            "GPT-2 byte-level BPE": {"ours": ours(vocab / "vocab-gpt-2.gguf"), "tokenizers": of(old)},
            "Llama 3's byte-level BPE": {"ours": ours(folder / "llama3"), "tokenizers": of(llama3)},
            "Qwen 2's byte-level BPE": {"ours": ours(folder / "qwen2"), "tokenizers": of(qwen2)},
            "Llama SPM-style BPE": {"ours": ours(vocab / "vocab-llama-spm.gguf"), "tokenizers": of(spm)},
            "BERT's WordPiece": {"ours": ours(folder / "bert"), "tokenizers": of(bert)},
            "unigram, tokenizer.json": {"ours": ours(folder / "json"), "tokenizers": of(uni)},
            "unigram, tokenizer.model": {"ours": ours(folder), "sentencepiece": library(sp.encode)},
        }
        for case, runs in cases.items():
            seconds = {name: [] for name in runs}
            tokens = {}
            for _ in range(a.rounds):
                for name, run in runs.items():
                    took, tokens[name] = run()
                    seconds[name].append(took)
            print(f"{case}, {size:.1f} MB: " + ", ".join(
                f"{name} {size / statistics.median(times):.1f} MB/s ({tokens[name]} tokens)"
                for name, times in seconds.items()), flush=True)


if __name__ == "__main__":
    main()
