"""Compares the matches of Rung's patterns with those of the Hugging Face `tokenizers` library, which runs Oniguruma.

    python common/text/tokenizer/golden/make_tokenizer_regex.py --tool build/bin/tokenize_lines [--patterns 20000] [--write]

The random patterns contain every construct that regex_parse.cpp translates, and the texts contain characters that these
constructs match. --write stores the fixed cases and a sample of the random ones, with the library's results, in
tokenizer_regex.json next to this file, which regex_parity_test.cpp reads. The texts contain only characters that
Unicode 14 has assigned, because PCRE2 10.42 knows no later ones, whereas the library has Unicode 16.
"""
import argparse
import collections
import json
import random
import subprocess
import sys
from pathlib import Path

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

from tokenizer_regex_cases import CASES

OUT = Path(__file__).parent / "tokenizer_regex.json"
MARK = "\ue000"

LITERALS = list("aabbcsStTfFiIkK019_ .-,&^:]}~=!'") + list("ßẞſKİıéÉΣσςιΐͅǰŉﬀﬃﬅﬆ漢ж½²٣Ⅷⓐ€\u0301")
ESCAPES = (r"\n \t \x41 \x{df} \x{17F} \u0073 \163 \o{163} \cA \C-a \. \- \] \[ \\ \e \a \f \v \r \x{2028} \x{1F600} \i "
           r"\Q \0 \012 \é \# \x7f").split()
SHORTHANDS = r"\w \W \d \D \s \S \h \H".split()
PROPERTIES = [r"\p{%s}" % name for name in "L,^L,Lu,Ll,N,Nd,P,S,M,Zs,Han,Latin,Greek,Alpha,Punct,Upper,Word,Space,Alnum,Any,"
              " l-L ,Letter,Emoji".split(",")] + [r"\P{L}", r"\P{^Lu}", r"\P{Word}"]
BRACKETS = [f"[:{name}:]" for name in "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit "
            "^alpha ^punct ^upper ^space ^word".split()]
RANGES = ["a-z", "A-Z", "0-9", "a-f", "ß-ſ", "α-ω", r"\x{0}-\x{7f}", "s-ß", "!--", " -~", "一-龥", "K-Å", "\u0300-\u036f"]
OPTIONS = ["i", "i", "i", "m", "x", "W", "D", "S", "P", "i-m", "-i", "im", "mi-x", "-", "iW", "iP"]
TEXTS = LITERALS + list("\n\n\r  \t\u0085\u180e\u200b\u2028\u2029\u00a0\x0b\x0c\0\x7f😀𝟘𐐨𐐀ὰᾳᾼ") + [
    "ss", "sS", "ﬀ", "ffi", "st", "\r\n", "i\u0307", "aa", "ab", "abc", "a1", "AbC"]


class Generator:
    """Generates random patterns. Some are not valid regular expressions, and both sides must reject those."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def pattern(self) -> str:
        self.kind = self.rng.choice(["plain", "plain", "backreferences", "names", "calls"])
        self.captures, self.names = 0, []
        pattern = self.alternatives(0, False)
        if self.rng.random() < 0.25:
            pattern = "(?i)" + pattern
        if self.kind == "backreferences" and self.captures:
            pattern += self.reference()
        return pattern

    def literal(self) -> str:
        c = self.rng.choice(LITERALS)
        return c if c not in ".^}$" or self.rng.random() < 0.2 else "\\" + c

    def in_set(self) -> str:
        if self.rng.random() > 0.75:
            return self.rng.choice(ESCAPES + [r"\b", r"\R", r"\X", r"\A"])
        c = self.rng.choice(LITERALS)
        return c if c not in "]^-&:" or self.rng.random() < 0.15 else "\\" + c

    def set(self, depth=0) -> str:
        r = self.rng
        text = "[" + ("^" if r.random() < 0.3 else "") + ("]" if r.random() < 0.04 else "") + ("-" if r.random() < 0.05 else "")
        for _ in range(r.randint(1, 4)):
            kind = r.random()
            if kind < 0.45:
                text += self.in_set()
            elif kind < 0.60:
                text += r.choice(RANGES)
            elif kind < 0.86:
                text += r.choice(r.choice([SHORTHANDS, PROPERTIES, BRACKETS]))
            elif kind < 0.93 and depth < 2:
                text += self.set(depth + 1)
            elif kind < 0.98 and depth < 3:
                text += "&&" + r.choice(["", self.in_set(), self.set(depth + 1), r.choice(SHORTHANDS), "a-z"])
            else:
                text += "-"
        return text + ("-" if r.random() < 0.06 else "") + "]"

    def quantifier(self) -> str:
        r = self.rng
        if r.random() < 0.6:
            return r.choice(["?", "*", "+", "??", "*?", "+?", "?+", "*+", "++"])
        n, m = r.randint(0, 3), r.randint(0, 3)
        interval = r.choice([f"{{{n}}}", f"{{{n},}}", f"{{{n},{m}}}", f"{{,{m}}}", f"{{{n},{n}}}", "{", "{,}", "{x}"])
        return interval + r.choice(["", "", "?", "+"])

    def reference(self) -> str:
        n = self.rng.randint(1, self.captures)
        return self.rng.choice([f"\\{n}", f"\\k<{n}>", f"\\k'{n}'", "\\k<-1>"])

    def capture(self, depth, look) -> str:
        if self.kind == "names" or (self.kind == "calls" and self.rng.random() < 0.5):
            name = f"n{len(self.names)}"
            self.names.append(name)
            return f"(?<{name}>{self.alternatives(depth + 1, look)})"
        self.captures += 1
        return f"({self.alternatives(depth + 1, look)})"

    def atom(self, depth, look) -> str:
        r = self.rng
        kind = r.random()
        if kind < 0.42 or (kind > 0.77 and depth >= 3):
            return self.literal()
        if kind < 0.57:
            return r.choice(r.choice([ESCAPES, SHORTHANDS, PROPERTIES]))
        if kind < 0.66:
            return self.set()
        if kind < 0.70:
            return r.choice([".", ".", r"\N", r"\O", r"\R"])
        if kind < 0.76:
            return r.choice(["^", "$", r"\b", r"\B", r"\A", r"\Z", r"\z", r"\G"] + ([] if look else [r"\K"]))
        if kind < 0.77:
            return r.choice(["(?#c)", r"(?#\))", "(?#x+)"])
        if kind < 0.88:
            return r.choice(["(?:", "(?:", "(?:", "(?>"]) + self.alternatives(depth + 1, look) + ")"
        if kind < 0.94:
            return r.choice(["(?=", "(?!", "(?<=", "(?<!"]) + self.alternatives(depth + 1, True) + ")"
        if kind < 0.965:
            option = "(?" + r.choice(OPTIONS)
            return option + (")" if r.random() < 0.4 else ":" + self.alternatives(depth + 1, look) + ")")
        if self.kind == "backreferences" and self.captures and r.random() < 0.5:
            return self.reference()
        return self.capture(depth, look)

    def sequence(self, depth, look) -> str:
        text = ""
        for _ in range(self.rng.choice([0, 1, 1, 2, 2, 3, 3, 4])):
            text += self.atom(depth, look)
            while self.rng.random() < 0.25:
                text += self.quantifier()
        if self.kind == "calls" and self.names and self.rng.random() < 0.2:
            text += f"\\g<{self.rng.choice(self.names)}>"
        return text

    def alternatives(self, depth, look) -> str:
        return "|".join(self.sequence(depth, look) for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3])))

    def text(self, pattern: str) -> str:
        own = [c for c in pattern if c.isalnum() or ord(c) > 127] or ["a"]
        return "".join(self.rng.choice(own if self.rng.random() < 0.4 else TEXTS)
                       for _ in range(self.rng.choice([0, 1, 2, 3, 4, 6, 9, 14])))


def expected(pattern: str, texts: list[str]):
    """Returns the library's results: the words of Split, and the text with every match replaced. Returns the message if
    the library fails."""
    try:
        regex = Regex(pattern)
    except Exception as error:  # the library raises no more specific class
        return str(error)
    split = pre_tokenizers.Split(regex, "isolated")
    replace = normalizers.Replace(regex, MARK)
    try:
        return [([word for word, _ in split.pre_tokenize_str(text)], replace.normalize_str(text)) for text in texts]
    except BaseException as error:  # exceeding Oniguruma's limit of steps causes a panic in Rust
        return str(error)


def ours(tool: Path, cases: list) -> list:
    lines = "".join(json.dumps([pattern, texts]) + "\n" for pattern, texts in cases)
    run = subprocess.run([tool, "--regex", MARK], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in run.stdout.decode().split("\n") if line]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", type=Path, required=True)
    parser.add_argument("--patterns", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=380)
    parser.add_argument("--write", action="store_true")
    a = parser.parse_args()
    generator = Generator(random.Random(a.seed))
    cases = list(CASES)
    while len(cases) < len(CASES) + a.patterns:
        pattern = generator.pattern()
        cases.append((pattern, [generator.text(pattern) for _ in range(10)]))
    counts, golden = collections.Counter(), []
    for i, ((pattern, texts), answer) in enumerate(zip(cases, ours(a.tool, cases), strict=True)):
        theirs = expected(pattern, texts)
        refused = "error" in answer
        counts["refused by " + ("both" if refused else "the library only") if isinstance(theirs, str) else
               "refused by us only" if refused else "run by both"] += 1
        if i < len(CASES) and (refused or isinstance(theirs, str)):
            print(f"fixed case {pattern!r}: {theirs if isinstance(theirs, str) else answer}")
            counts["different"] += 1
        if refused or isinstance(theirs, str):
            continue
        counts["texts"] += len(texts)
        got = [(words, replaced) for words, replaced in zip(answer["words"], answer["replaced"], strict=True)]
        for text, one, other in zip(texts, theirs, got, strict=True):
            if tuple(one) != other:
                counts["different"] += 1
                print(f"{pattern!r}, {text!r}: expected {one}, got {other}")
        if len(golden) < len(CASES) + a.sample:
            keep = texts if i < len(CASES) else texts[:3]
            golden.append([pattern, keep, [[len(word.encode()) for word in words] for words, _ in theirs[:len(keep)]],
                           [replaced for _, replaced in theirs[:len(keep)]]])
    print(", ".join(f"{what}: {count}" for what, count in sorted(counts.items())))
    if a.write:
        lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in golden)
        OUT.write_text(f'{{"tokenizers":"{tokenizers.__version__}","mark":"\\ue000","cases":[\n{lines}\n]}}\n')
    return counts["different"] != 0


if __name__ == "__main__":
    sys.exit(main())
