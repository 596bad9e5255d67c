"""Writes unicode_tables.hpp: properties of code points that Python's str methods need and utf8proc lacks.

    python3.11 common/text/chat/golden/make_jinja_unicode_tables.py
    clang-format -i common/text/chat/jinja/unicode_tables.hpp

utf8proc has general categories, simple case mappings and full case folding. This script takes the rest from Python,
whose tables come from these files of the Unicode Character Database:
    mappings to more than one code point    SpecialCasing.txt, the rows without a condition
    digits that are not decimal digits      UnicodeData.txt, field 7
    ideographs that are numbers             Unihan_NumericValues.txt
    Other_Lowercase, Other_Uppercase        PropList.txt
    case-ignorable punctuation              DerivedCoreProperties.txt
    exceptions of identifiers               DerivedCoreProperties.txt, XID_Start and XID_Continue
Python 3.11 has Unicode 14. Unicode 15, which utf8proc 2.8 has, adds one range to these tables (AFTER_14).
"""
import unicodedata
from pathlib import Path

AFTER_14 = {"kOtherLowercase": [(0x1E030, 0x1E06D)]}  # Cyrillic modifier letters: PropList.txt of Unicode 15
CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
LETTERS = ("Lu", "Ll", "Lt", "Lm", "Lo")


def category(c):
    return unicodedata.category(chr(c))


def starts(c):
    return chr(c).isidentifier() and c != 0x5F


def continues(c):
    return ("a" + chr(c)).isidentifier()


def case_ignorable(c):
    """Whether the rule for the final sigma skips this character when it looks for the letter before the sigma."""
    return ("A" + chr(c) + "Σ").lower().endswith("ς") and ("1" + chr(c) + "Σ").lower().endswith("σ")


def ranges(test, also=()):
    found = []
    for c in CODES:
        if not test(c):
            continue
        if found and found[-1][1] == c - 1:
            found[-1] = (found[-1][0], c)
        else:
            found.append((c, c))
    return sorted(found + list(also))


def literal(text):
    return '"' + "".join(c if c < "\x7f" else f"\\u{ord(c):04X}" for c in text) + '"'


def main():
    assert unicodedata.unidata_version == "14.0.0", "the golden files come from Unicode 14: use Python 3.11"
    start = lambda c: category(c) in LETTERS + ("Nl",)
    goes_on = lambda c: start(c) or category(c) in ("Mn", "Mc", "Nd", "Pc")
    tables = {
        "kOtherDigits": ("Digits that cannot be part of a decimal number: superscripts and circled digits.",
                         lambda c: chr(c).isdigit() and not chr(c).isdecimal()),
        "kNumberIdeographs": ("Numeric ideographs.",
                              lambda c: chr(c).isnumeric() and category(c) not in ("Nd", "Nl", "No")),
        "kOtherLowercase": ("Lower-case characters that are not in the category Ll.",
                            lambda c: chr(c).islower() and category(c) != "Ll"),
        "kOtherUppercase": ("Upper-case characters that are not in the category Lu.",
                            lambda c: chr(c).isupper() and category(c) != "Lu"),
        "kCaseIgnorablePunctuation": ("Case-ignorable characters that are not marks, format controls, modifier letters or "
                                      "symbols.",
                                      lambda c: case_ignorable(c) and category(c) not in ("Mn", "Me", "Cf", "Lm", "Sk")),
        "kStartsAlso": ("Characters that can start an identifier but are neither letters nor letter numbers.",
                        lambda c: starts(c) and not start(c)),
        "kStartsNot": ("Letters that cannot start an identifier.", lambda c: start(c) and not starts(c)),
        "kContinuesAlso": ("Characters that can continue an identifier, in contrast to others of their categories.",
                           lambda c: continues(c) and not goes_on(c)),
        "kContinuesNot": ("Characters that cannot continue an identifier, in contrast to others of their categories.",
                          lambda c: goes_on(c) and not continues(c)),
    }
    out = ["#pragma once",
           "// Properties of code points that Python's str methods need and utf8proc lacks. Written by",
           "// golden/make_jinja_unicode_tables.py, which names the files of the Unicode Character Database.", "",
           "#include <cstdint>", "", "namespace rung::jinja {", "", "struct CodeRange {", "  std::uint32_t first, last;", "};", "",
           "/// A character whose upper-case form has more than one code point. `title` is null if its simple mapping "
           "applies.",
           "struct LongCase {", "  std::uint32_t code;", "  const char *upper, *title;", "};", "",
           "inline constexpr LongCase kLongCases[] = {"]
    for c in CODES:
        upper, title = chr(c).upper(), chr(c).title()
        assert len(upper) > 1 or len(title) == 1
        assert len(chr(c).lower()) == (2 if c == 0x130 else 1)
        if len(upper) > 1:
            out.append(f"{{0x{c:X}, {literal(upper)}, {literal(title) if len(title) > 1 else 'nullptr'}}},")
    out += ["};", ""]
    for name, (comment, test) in tables.items():
        rows = ranges(test, AFTER_14.get(name, ()))
        out += [f"/// {comment}", f"inline constexpr CodeRange {name}[] = {{",
                ", ".join(f"{{0x{a:X}, 0x{b:X}}}" for a, b in rows), "};", ""]
    out.append("}  // namespace rung::jinja")
    (Path(__file__).parent.parent / "unicode_tables.hpp").write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
