"""Trains one small tokenizer of every kind, and compares Rung's ids of random Unicode texts with the library's.

    python common/text/tokenizer/golden/make_tokenizer_fuzz.py --tool build/bin/tokenize_lines [--texts 10000] [--write]

The script trains the tokenizers with the Hugging Face `tokenizers` and the `sentencepiece` libraries, on the text in
tokenizer_fuzz_text.py. --write stores them in the folder fuzz/ next to this file, with a sample of the texts and the
libraries' ids for them (fuzz/golden.json, which fuzz_parity_test.cpp reads). Without --write, the script compares the
stored tokenizers. Random texts contain only characters that Unicode 14 has assigned, because the libraries use tables
of different versions of Unicode.
"""
import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import sentencepiece
import tokenizers
from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)

from tokenizer_fuzz_text import TRAINING_TEXT, random_texts

HERE = Path(__file__).parent
OUT = HERE / "fuzz"
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
DEEPSEEK3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
             r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPACE = "\u2581"


def lines() -> list[str]:
    return [line for line in TRAINING_TEXT.split("\n") if line] * 3


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior=behavior, invert=invert)


def byte_level(normalizer, steps, size=520) -> Tokenizer:
    t = Tokenizer(models.BPE())
    if normalizer:
        t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizers.Sequence(steps)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(lines(), trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return t


def roberta() -> Tokenizer:
    t = byte_level(None, [pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)])
    t.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True, special=True)])
    t.add_tokens([AddedToken("note", single_word=True, normalized=False), AddedToken("STOP", rstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")))
    return t


def qwen2() -> Tokenizer:
    t = byte_level(normalizers.NFC(), [split(QWEN2), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return t


def deepseek3() -> Tokenizer:
    t = byte_level(None, [split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK3),
                          pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.add_special_tokens(["<|begin|>"])
    t.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", t.token_to_id("<|begin|>"))])])
    return t


def clip() -> Tokenizer:
    t = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    t.pre_tokenizer = split(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "removed", True)
    t.decoder = decoders.BPEDecoder("</w>")
    t.train_from_iterator(lines(), trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False))
    return t


def old_bpe() -> Tokenizer:
    t = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD(), normalizers.StripAccents()])
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("merged_with_previous"),
        pre_tokenizers.Digits(individual_digits=False)])
    t.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    t.train_from_iterator(lines(), trainers.BpeTrainer(
        vocab_size=600, special_tokens=["[UNK]"], continuing_subword_prefix="##", show_progress=False))
    return t


def metaspace_bpe() -> Tokenizer:
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always", split=True)
    t.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(),
                                   decoders.Strip(" ", 1, 0)])
    named = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator(lines(), trainers.BpeTrainer(vocab_size=700, special_tokens=named, show_progress=False))
    data = json.loads(t.to_str())
    data["added_tokens"] = data["added_tokens"][:3]
    return Tokenizer.from_str(json.dumps(data))


def train_unigram(t: Tokenizer, size=500) -> Tokenizer:
    t.train_from_iterator(lines(), trainers.UnigramTrainer(
        vocab_size=size, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[
        ("<s>", t.token_to_id("<s>")), ("</s>", t.token_to_id("</s>"))])
    return t


def xlmr() -> Tokenizer:
    """Returns a tokenizer with the parts of XLM-RoBERTa's: a charsmap that sentencepiece compiles, and Metaspace."""
    spec = sentencepiece_model(model_type="unigram", vocab_size=400, normalization_rule_tsv=small_rules())
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Precompiled(charsmap_of(spec)), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    t.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    return train_unigram(t)


def plain_unigram() -> Tokenizer:
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Strip(True, True), normalizers.NFKC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="first"), pre_tokenizers.Digits(individual_digits=True)])
    t.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="first")
    return train_unigram(t)


def unigram_bytes() -> Tokenizer:
    """Returns a tokenizer without a pre-tokenizer, so the whole text is one word. Bytes replace the unknown token."""
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    t.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(),
                                   decoders.Strip(" ", 1, 0)])
    t = train_unigram(t)
    data = json.loads(t.to_str())
    data["model"]["vocab"] += [[f"<0x{b:02X}>", 0.0] for b in range(256)]
    data["model"]["byte_fallback"] = True
    return Tokenizer.from_str(json.dumps(data))


def bert(lowercase: bool) -> Tokenizer:
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100 if lowercase else 20))
    t.normalizer = normalizers.BertNormalizer(lowercase=lowercase, strip_accents=None if lowercase else False)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    t.train_from_iterator(lines(), trainers.WordPieceTrainer(
        vocab_size=700, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    if lowercase:
        t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[
            ("[CLS]", t.token_to_id("[CLS]")), ("[SEP]", t.token_to_id("[SEP]"))])
    else:
        t.post_processor = processors.BertProcessing(("[SEP]", t.token_to_id("[SEP]")), ("[CLS]", t.token_to_id("[CLS]")))
    return t


def words() -> Tokenizer:
    t = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), split("[aeiou]", "merged_with_next"),
                                               split("[xyz]+", "contiguous")])
    t.train_from_iterator(lines(), trainers.WordLevelTrainer(vocab_size=400, special_tokens=["[UNK]"], show_progress=False))
    t.add_tokens([AddedToken("Ünï", normalized=True), AddedToken("été", normalized=True, single_word=True)])
    return t


def sentencepiece_model(**options) -> bytes:
    if options.get("normalization_rule_tsv") == "small":
        options["normalization_rule_tsv"] = small_rules()
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines()), model_writer=model, minloglevel=2, hard_vocab_limit=False, num_threads=1,
        **options)
    return model.getvalue()


def small_rules() -> str:
    """Writes the rules of a charsmap of a few kilobytes, which replaces the 240 KB of nmt_nfkc. The rules are NFKC for
    some blocks, and marks. Returns the path."""
    path = Path(tempfile.gettempdir()) / "rung_fuzz_rules.tsv"
    rules = {}
    blocks = [(0xA0, 0x17F), (0x1C4, 0x1CC), (0x2000, 0x206F), (0x2100, 0x213F), (0xFB00, 0xFB06), (0xFF01, 0xFF9F)]
    for first, last in blocks:
        for c in range(first, last + 1):
            normal = unicodedata.normalize("NFKC", chr(c))
            if normal != chr(c):
                rules[chr(c)] = normal
    for base in "aeiouAEIOUnc":
        for mark in "\u0300\u0301\u0302\u0303\u0308\u0327":
            normal = unicodedata.normalize("NFKC", base + mark)
            if len(normal) == 1:
                rules[base + mark] = normal
    rules.update({"\u3000": " ", "\u0001": "", "\u007f": "", "\n": " ", "\t": " ", "\u200b": " ", "\ufeff": ""})
    path.write_text("".join(
        " ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n"
        for source, target in sorted(rules.items())), encoding="utf-8")
    return str(path)


def charsmap_of(model: bytes) -> bytes:
    from sentencepiece import sentencepiece_model_pb2 as proto
    parsed = proto.ModelProto()
    parsed.ParseFromString(model)
    return parsed.normalizer_spec.precompiled_charsmap


HUGGING_FACE = {"roberta": roberta, "qwen2": qwen2, "deepseek3": deepseek3, "clip": clip, "old_bpe": old_bpe,
                "metaspace_bpe": metaspace_bpe, "xlmr": xlmr, "plain_unigram": plain_unigram,
                "unigram_bytes": unigram_bytes, "bert_uncased": lambda: bert(True), "bert_cased": lambda: bert(False),
                "words": words}
SENTENCE_PIECE = {
    "sp_bpe": dict(model_type="bpe", vocab_size=700, byte_fallback=True, normalization_rule_name="identity",
                   remove_extra_whitespaces=False),
    "sp_bpe_nfkc": dict(model_type="bpe", vocab_size=600, normalization_rule_tsv="small",
                        user_defined_symbols=["<note>", "fox", "  "]),
    "sp_unigram": dict(model_type="unigram", vocab_size=450, normalization_rule_tsv="small",
                       user_defined_symbols=["<note>", "fox"]),
    "sp_unigram_bytes": dict(model_type="unigram", vocab_size=700, byte_fallback=True, normalization_rule_name="identity",
                             remove_extra_whitespaces=False, add_dummy_prefix=False),
    "sp_suffix": dict(model_type="unigram", vocab_size=400, treat_whitespace_as_suffix=True, normalization_rule_tsv="small"),
}
# These tokenizers are compared but not stored, because their charsmaps have 240 KB.
LARGE = {
    "sp_unigram_nmt_nfkc_cf": dict(model_type="unigram", vocab_size=450, normalization_rule_name="nmt_nfkc_cf"),
    "sp_bpe_nmt_nfkc": dict(model_type="bpe", vocab_size=600, normalization_rule_name="nmt_nfkc"),
    "sp_unigram_nfkc": dict(model_type="unigram", vocab_size=700, byte_fallback=True, normalization_rule_name="nfkc",
                            remove_extra_whitespaces=False),
}


def write_gguf(path: Path, kind: str, tokens, types, scores=None, **more) -> None:
    import gguf
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(kind)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if scores is not None:
        writer.add_token_scores(scores)
    for key, value in more.items():
        if isinstance(value, bool):
            writer.add_bool(f"tokenizer.ggml.{key}", value)
        elif isinstance(value, bytes):
            writer.add_precompiled_charsmap(value)
        else:
            writer.add_uint32(f"tokenizer.ggml.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def piece_type(sp, i) -> int:
    return 2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 5 if sp.is_unused(i) else 1


def write_all() -> None:
    for name, make in HUGGING_FACE.items():
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(json.loads(make().to_str()), ensure_ascii=False, separators=(",", ":"))
        (folder / "tokenizer.json").write_text(text + "\n", encoding="utf-8")
    for name, options in SENTENCE_PIECE.items():
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tokenizer.model").write_bytes(sentencepiece_model(**options))
    # The same vocabularies in GGUF files.
    for name, kind, source in (("gguf_llama", "llama", "sp_bpe"), ("gguf_t5", "t5", "sp_unigram")):
        sp = sentencepiece.SentencePieceProcessor(model_file=str(OUT / source / "tokenizer.model"))
        tokens = [sp.id_to_piece(i).encode() for i in range(len(sp))]
        more = dict(bos_token_id=1, eos_token_id=2, unknown_token_id=0)
        if kind == "t5":
            more.update(add_eos_token=False, precompiled_charsmap=charsmap_of((OUT / source / "tokenizer.model").read_bytes()))
        types = [4 if piece in (b"<note>", b"fox") and kind == "t5" else piece_type(sp, i) for i, piece in enumerate(tokens)]
        write_gguf(OUT / f"{name}.gguf", kind, tokens, types, [sp.get_score(i) for i in range(len(sp))], **more)
    uncased = Tokenizer.from_file(str(OUT / "bert_uncased/tokenizer.json"))
    by_id = sorted(uncased.get_vocab().items(), key=lambda item: item[1])
    special = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    tokens = [t if t in special else t[2:] if t.startswith("##") else SPACE + t for t, _ in by_id]
    write_gguf(OUT / "gguf_bert.gguf", "bert", [t.encode() for t in tokens], [3 if t in special else 1 for t, _ in by_id],
               unknown_token_id=uncased.token_to_id("[UNK]"), cls_token_id=uncased.token_to_id("[CLS]"),
               seperator_token_id=uncased.token_to_id("[SEP]"))


def oracles(temporary: Path):
    """Yields name, path, whether special tokens are added and recognized, a function from text to ids, and a function
    from ids to text."""
    def of_json(name):
        t = Tokenizer.from_file(str(OUT / name / "tokenizer.json"))
        return lambda text: t.encode(text).ids, lambda ids: t.decode(ids, skip_special_tokens=True)

    def of_model(name, folder=OUT):
        sp = sentencepiece.SentencePieceProcessor(model_file=str(folder / name / "tokenizer.model"))
        return sp.encode, sp.decode

    for name in HUGGING_FACE:
        yield name, OUT / name, True, *of_json(name)
    for name in SENTENCE_PIECE:
        yield name, OUT / name, False, *of_model(name)
    for name, options in LARGE.items():
        (temporary / name).mkdir()
        (temporary / name / "tokenizer.model").write_bytes(sentencepiece_model(**options))
        yield name, temporary / name, False, *of_model(name, temporary)
    yield "gguf_llama", OUT / "gguf_llama.gguf", False, *of_model("sp_bpe")
    yield "gguf_t5", OUT / "gguf_t5.gguf", False, *of_model("sp_unigram")
    yield "gguf_bert", OUT / "gguf_bert.gguf", True, *of_json("bert_uncased")


def size_of(path: Path) -> int:
    if (path / "tokenizer.json").exists():
        return Tokenizer.from_file(str(path / "tokenizer.json")).get_vocab_size()
    return len(sentencepiece.SentencePieceProcessor(model_file=str(path / "tokenizer.model")))


def ours(tool: Path, arguments: list[str], texts: list[str]) -> list:
    payload = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run([tool, *arguments], input=payload.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.decode().split("\n") if line]


def compare_decoders(tool: Path, name: str, path: Path, decode, size: int) -> int:
    """Compares the texts of random ids, decoded at once and as a stream, with the library's. Returns the number of
    differences."""
    chooser = random.Random(3)
    frequent = [0, *range(3, min(size, 300)), *[size // 2] * 20]
    lists = [[chooser.choice(frequent) if chooser.random() < 0.5 else chooser.randrange(size) for _ in range(chooser.randrange(12))]
             for _ in range(2000)]
    payload = "".join(json.dumps(numbers) + "\n" for numbers in lists)
    run = subprocess.run([tool, str(path), "--ids"], input=payload.encode(), stdout=subprocess.PIPE, check=True)
    differ = 0
    for numbers, line in zip(lists, run.stdout.decode().splitlines(), strict=True):
        answer = json.loads(line)
        if answer["text"] != decode(numbers) or "".join(answer["parts"]) != answer["text"]:
            differ += 1
            if differ <= 3:
                print(f"  {name}: {numbers}\n    expected {decode(numbers)!r}\n    got      {answer['text']!r} {answer['parts']!r}")
    print(f"{name}: {len(lists)} lists of ids, {differ} decoded differently", flush=True)
    return differ


def compare_pre_tokenizers(tool: Path, texts: list[str], sample: list[str]) -> tuple[dict, int]:
    """Compares the words of every GGUF pre-tokenizer with those of Split with the same patterns in `tokenizers`."""
    patterns = json.loads(subprocess.run([tool, "--patterns"], stdout=subprocess.PIPE, check=True).stdout)
    golden, wrong, done = {}, 0, set()
    for name, list_of in patterns.items():
        if tuple(list_of) in done:
            continue
        done.add(tuple(list_of))
        oracle = pre_tokenizers.Sequence([split(pattern) for pattern in list_of])

        def cut(text):
            return [word for word, _ in oracle.pre_tokenize_str(text)]

        golden[name] = [[len(word.encode()) for word in cut(text)] for text in sample]
        differ = 0
        for text, answer in zip(texts, ours(tool, ["--pre", name], texts), strict=True):
            if answer != cut(text):
                differ += 1
                if differ <= 3:
                    print(f"  {name}: {text!r}\n    expected {cut(text)}\n    got      {answer}")
        wrong += differ
        print(f"pre-tokenizer {name}: {len(texts)} texts, {differ} split differently", flush=True)
    return golden, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=10_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--sample", type=int, default=150)
    a = parser.parse_args()
    if a.write:
        write_all()
    texts = random_texts(a.texts, seed=1)
    sample = random_texts(a.sample, seed=2)
    golden = {"tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__, "texts": sample, "ids": {}}
    wrong = 0
    temporary = tempfile.TemporaryDirectory()
    for name, path, special, encode, decode in oracles(Path(temporary.name)):
        if path.parent == OUT:
            golden["ids"][name] = {"path": path.name, "special": special, "ids": [encode(text) for text in sample]}
        if a.only and a.only not in name:
            continue
        answers = ours(a.tool, [str(path)] + ([] if special else ["--no-special"]), texts)
        differ = lost = back = 0
        for text, answer in zip(texts, answers, strict=True):
            expected = encode(text)
            if answer["ids"] != expected:
                differ += 1
                if differ <= 3:
                    print(f"  {name}: {text!r}\n    expected {expected}\n    got      {answer['ids']}")
            if decode(expected) == text:  # if the library restores the text, Rung must restore it, too
                back += 1
                if answer["text"] != text:
                    lost += 1
                    if lost <= 3:
                        print(f"  {name}: {text!r} came back as {answer['text']!r}")
        if not name.startswith("gguf"):
            wrong += compare_decoders(a.tool, name, path, decode, size_of(path))
        wrong += differ + lost
        print(f"{name}: {len(texts)} texts, {differ} with different ids; the library restores {back} of the texts, and "
              f"Rung does not restore {lost} of these", flush=True)
    golden["words"], differ = compare_pre_tokenizers(a.tool, texts, sample)
    wrong += differ
    if a.write:
        (OUT / "golden.json").write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
