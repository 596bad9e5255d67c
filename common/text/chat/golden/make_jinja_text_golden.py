"""Writes jinja_text_golden.json for text_parity_test.cpp: the results of Python's str methods and of Jinja2.

    python3.11 common/text/chat/golden/make_jinja_text_golden.py

The file contains
    assigned    ranges of code points for the tests of character classes: those of Unicode 14, except most of the
                private use planes and CHANGED
    varied      ranges of code points for all other tests: the same without most ideographs and Hangul syllables, which
                have no case
    sweeps      expressions of one character c, optionally between other characters: c.method() for `method`, c|filter
                for `filter`, c is test for `test`, or repr([c]). For every 4,096 code points, `pages` has the 32-bit
                FNV-1a hash of the results in UTF-8, each followed by a byte 1
    snippets    pairs of templates and their output, which is null if Jinja2 raises an error
Python 3.11 has Unicode 14. utf8proc 2.8 has Unicode 15, in which these characters are the same. Needs transformers and
jinja2.
"""
import json
import sys
import unicodedata
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

from jinja_text_snippets import SNIPPETS

PAGE = 4096
# Letters whose category changed, or that received an upper-case form, after Unicode 15.
CHANGED = {0x19B, 0x264, 0x277, 0x27C, 0x295, 0xA7D3, 0xA7D5, 0xAB4B, 0xAB4C, 0x1171E}
METHODS = ["upper", "lower", "title", "capitalize", "swapcase", "casefold", "isalpha", "isalnum", "isascii", "isdecimal", "isdigit", "isnumeric",
           "isidentifier", "islower", "isupper", "istitle", "isspace", "isprintable", "strip"]
SWEEPS = [{"method": name, "codes": "assigned" if name.startswith("is") else "varied"} for name in METHODS]
SWEEPS += [{"filter": name, "codes": "varied"} for name in ("upper", "lower", "title", "capitalize", "trim", "wordcount", "int", "float", "tojson")]
SWEEPS += [{"test": name, "codes": "varied"} for name in ("lower", "upper")] + [{"repr": "", "codes": "varied"}]
SWEEPS += [{"before": b, "after": a, "codes": "varied"} | what for b, a, what in [
    ("A", "\u03a3", {"method": "lower"}),         # case-ignorable or cased
    ("1", "\u03a3", {"method": "lower"}),         # cased and not case-ignorable
    ("A\u03a3", "", {"method": "swapcase"}),      # a sigma followed by another letter
    ("A\u03a3", "b", {"filter": "capitalize"}),
    ("a", "b", {"method": "title"}), ("a", "b", {"filter": "title"}), ("A", "b", {"method": "istitle"}),
    ("a", "", {"method": "isidentifier"}), ("x", "y", {"method": "split"}), ("x", "y", {"method": "splitlines"}),
    ("12", "", {"filter": "int"}), ("1.", "e1", {"filter": "float"})]]


def is_assigned(c):
    inner = 0xF0010 <= c < 0xFFFF0 or 0x100010 <= c < 0x10FFF0
    return unicodedata.category(chr(c)) not in ("Cn", "Cs") and c not in CHANGED and not inner


def is_varied(c):
    alike = unicodedata.name(chr(c), "").startswith(("CJK UNIFIED", "HANGUL SYLLABLE", "TANGUT IDEOGRAPH"))
    return is_assigned(c) and not (alike and c % 1024 and not chr(c).isnumeric())


def ranges(test):
    found = []
    for c in filter(test, range(0x110000)):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def expression(sweep):
    if "method" in sweep:
        return "c." + sweep["method"] + "()"
    if "filter" in sweep:
        return "c|" + sweep["filter"]
    return "c is " + sweep["test"] if "test" in sweep else "[c]"


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def pages(sweep, codes):
    template = _compile_jinja_template("{% for c in page %}{{ " + expression(sweep) + " }}\x01{% endfor %}")
    result = {}
    for page in sorted({c // PAGE for c in codes}):
        texts = [sweep.get("before", "") + chr(c) + sweep.get("after", "") for c in codes if c // PAGE == page]
        result[str(page)] = fnv1a(template.render(page=texts).encode())
    return result


def text_of(source):
    try:
        return _compile_jinja_template(source).render(messages=[], tools=None, documents=None, add_generation_prompt=True)
    except Exception:  # for any error, there is no output
        return None


def main():
    assert unicodedata.unidata_version == "14.0.0", "the golden files come from Unicode 14: use Python 3.11"
    chosen = {"assigned": ranges(is_assigned), "varied": ranges(is_varied)}
    codes = {name: [c for first, last in found for c in range(first, last + 1)] for name, found in chosen.items()}
    golden = {"python": sys.version.split()[0], "unicode": unicodedata.unidata_version, "jinja2": jinja2.__version__,
              "transformers": transformers.__version__, "page": PAGE, **chosen,
              "sweeps": [sweep | {"pages": pages(sweep, codes[sweep["codes"]])} for sweep in SWEEPS],
              "snippets": [[source, text_of(source)] for source in SNIPPETS]}
    path = Path(__file__).parent / "jinja_text_golden.json"
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
    print(f"{len(codes['assigned'])} code points, {len(codes['varied'])} of them varied, {len(SWEEPS)} sweeps, {len(SNIPPETS)} snippets "
          f"({sum(text is None for _, text in golden['snippets'])} errors)")


if __name__ == "__main__":
    main()
