"""Renders random templates with Jinja2 and with Rung, and compares the results.

    python common/text/chat/golden/fuzz_chat_template.py build/bin/chat_template_parity_test [--seed 1] [--count 20000]

The script generates templates from a grammar of the constructs that chat templates use, and renders them with Jinja2 in
transformers' environment. The test program compares its own results with these. The script prints the number of
templates, the number that Jinja2 rejects, and every difference. It leaves out known differences: numbers that do not
fit in 64 bits, printing of iterators and functions, and Markup.
"""
import argparse
import copy
import json
import os
import random
import re
import subprocess
import tempfile
import warnings

from transformers.utils.chat_template_utils import _compile_jinja_template

from chat_template_snippets import NAMES

STRINGS = ["'a'", "'Hello World'", '"it\'s"', "''", "' x '", "'a,b,,c'", "'\u00e4\u00df\u4e2d'", "'\\n'", "'<|im_start|>'", "'12'", "'3.5'", "'a\\\\b'", "'\U0001f600'", "'\u0391\u03a3 \ufb01\u01c6'", "'\uff11\uff12'", "'\u0130\u00b2\u2028x'"]
METHODS = ["upper()", "lower()", "strip()", "lstrip()", "rstrip()", "title()", "capitalize()", "split(',')", "split()", "split(' ', 1)",
           "replace('a', 'b')", "startswith('a')", "endswith('d')", "find('l')", "count('l')", "items()", "keys()", "values()", "get('a')",
           "get('q', 1)", "splitlines()", "rsplit(',', 1)", "partition(',')", "isdigit()", "rstrip('dlx')", "index(1)", "join(words)", "zfill(5)", "append(1)", "swapcase()", "casefold()", "isalpha()",
           "isnumeric()", "istitle()", "isidentifier()", "isprintable()", "splitlines(true)", "expandtabs(3)", "center(9, '\u00e9')", "format(1)"]
FILTERS = ["trim", "upper", "lower", "title", "capitalize", "length", "first", "last", "list", "join", "join(', ')", "string", "int", "float", "abs",
           "round", "round(1)", "tojson", "tojson(indent=2)", "sort", "sort(reverse=true)", "reverse", "reverse|list", "unique|list", "default('d')", "default('d', true)",
           "map('string')|list", "map('upper')|join('-')", "select('string')|list", "reject('none')|list", "map(attribute='name')|list",
           "selectattr('age', 'gt', 26)|list", "selectattr('tags')|list", "rejectattr('name', 'equalto', 'Bo')|list", "dictsort", "items|list", "sum",
           "min", "max", "indent", "indent(2, true)", "replace('l', 'LL')", "batch(2)|list", "select|list", "map('length')|list", "int(5)", "wordcount", "truncate(5)",
           "int(base=16)", "groupby('age')", "groupby('name')|list", "format(1)", "center(12)"]
TESTS = ["defined", "not defined", "none", "not none", "string", "number", "mapping", "iterable", "sequence", "boolean", "integer", "float", "true", "false", "odd",
         "even", "divisibleby 3", "equalto 1", "in list", "in 'abc'", "eq n", "undefined", "lower", "upper", "gt 2", "sameas none"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or", "~", "+", "and", "or"]
VARIABLES = [n for n in NAMES if n not in ("big", "small")] + ["missing", "x", "y", "ns", "messages", "tools"]


class Grammar:
    def __init__(self, rng, good=()):
        self.rng, self.good = rng, good  # good: expressions that Jinja2 renders without an error

    def printed(self):
        return self.pick(self.good) if self.good and self.rng.random() < 0.93 else self.expression()

    def pick(self, options):
        return self.rng.choice(options)

    def expression(self, depth=0):
        r = self.rng.random()
        if depth > 3 or r < 0.25:
            return self.atom(depth)
        e = lambda: self.expression(depth + 1)
        if r < 0.42:
            return f"{e()} {self.pick(BINARY)} {e()}"
        if r < 0.56:
            return f"{self.atom(depth)}|{self.pick(FILTERS)}"
        if r < 0.62:
            return f"{self.atom(depth)} is {self.pick(TESTS)}"
        if r < 0.70:
            return f"{self.atom(depth)}.{self.pick(METHODS)}"
        if r < 0.78:
            return f"{self.pick(VARIABLES + STRINGS)}{self.pick(['[0]', '[-1]', '[1:]', '[:-1]', '[::-1]', '.a', '.name', '[n]', '[s]', '[1:3]', '.b.c', '[:2]', '[::2]'])}"
        if r < 0.84:
            return f"({e()} if {e()} else {e()})"
        if r < 0.88:
            return f"({e()})"
        if r < 0.92:
            return self.pick(["not ", "-", "not ", "+"]) + e()
        if r < 0.95:
            return f"[{e()}, {e()}]"
        if r < 0.97:
            return f"{{{self.pick(STRINGS)}: {e()}, 'k': {e()}}}"
        return f"({e()}, {e()})"

    def atom(self, depth):
        r = self.rng.random()
        if r < 0.62:
            return self.pick(VARIABLES)
        if r < 0.8:
            return self.pick(STRINGS)
        if r < 0.92:
            return self.pick(["0", "1", "2", "7", "2.5", "0.1", "100", "-1", "true", "false", "none"])
        return f"range({self.rng.randrange(6)})" if depth % 2 else "({})".format(self.expression(depth + 2))

    def open(self):
        return self.pick(["{%", "{%", "{%-", "{%-", "{%+"])

    def close(self):
        return self.pick(["%}", "%}", "-%}", "-%}", "+%}"])

    def tag(self, text):
        return f"{self.open()} {text} {self.close()}"

    def text(self):
        return self.pick(["", " ", "\n", "  \n", "text", " a ", "\n\n", "\n  ", "x\n", "\t", " <|end|>\n", "\u00a0", "{# c #}", "{#- c -#}", "\n  {# c #}\n", "\r\n"])

    def body(self, depth, loop=False):
        return "".join(self.text() + self.statement(depth, loop) for _ in range(self.rng.randrange(1, 4))) + self.text()

    def statement(self, depth=0, loop=False):
        r = self.rng.random()
        if depth > 2 or r < 0.4:
            return "{{" + self.pick(["", "-"]) + " " + self.printed() + " " + self.pick(["", "-"]) + "}}"
        b = lambda inside=loop: self.body(depth + 1, inside)
        if r < 0.55:
            other = self.pick(["", self.tag("else") + b(), self.tag("elif " + self.printed()) + b() + self.tag("else") + b()])
            return self.tag("if " + self.printed()) + b() + other + self.tag("endif")
        if r < 0.72:
            head = self.pick(["for x in " + self.expression(2), "for x in list", "for x in people", "for x, y in d.items()", "for x in words if x != 'c'",
                              "for x in range(3)", "for x in nested", "for x in missing", "for y in s.split(',')", "for x in d", "for x in people|selectattr('tags')"])
            last = self.pick(["", "", self.tag("else") + b()])
            return self.tag(head) + b(True) + self.pick(["", "{{ loop.index }}", "{% if not loop.last %}, {% endif %}", "{{ loop.first }}{{ loop.revindex0 }}"]) + last + self.tag("endfor")
        if r < 0.84:
            return self.tag(self.pick(["set x = ", "set y = ", "set n = ", "set ns = namespace(a=1) if true else "]) + self.printed())
        if r < 0.87:
            return self.tag("set ns.a = " + self.printed())
        if r < 0.90:
            return self.tag("set x") + b() + self.tag("endset")
        if r < 0.93:
            return self.tag(f"macro m{depth}(a, b={self.printed()})") + "{{ a }}" + self.tag("endmacro") + "{{ m%d(%s) }}" % (depth, self.printed())
        if r < 0.95 and loop:
            return self.tag("if " + self.printed()) + self.tag(self.pick(["break", "continue"])) + self.tag("endif")
        if r < 0.97:
            return self.tag("filter " + self.pick(["upper", "trim", "replace('a', 'b')", "indent"])) + b() + self.tag("endfilter")
        return self.tag("raw") + "{{ x }} {% y %}" + self.tag("endraw").replace("{%+", "{%")


UNFAIR = re.compile(r"<(generator|bound method|built-in|list_reverse|Loop|class|function|Macro|jinja2|Namespace|reversed|dict_rev|range_it|transformers|method)|range\(|0x[0-9a-f]{6,}|\d{19,}")


def render(source):
    try:  # renders with copies, because Jinja2's filter `indent` modifies a list
        template = _compile_jinja_template(source)
        return template.render(**copy.deepcopy(NAMES), messages=[], tools=None, documents=None, add_generation_prompt=True)
    except Exception:
        return None


def main():
    warnings.simplefilter("ignore")
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=20000)
    given = arguments.parse_args()
    cases, unfair = [], 0

    def add(source):
        nonlocal unfair
        text = render(source)
        if text is not None and (UNFAIR.search(text) or len(text) > 100000):
            unfair += 1
            return False
        cases.append([source, text])
        return text is not None

    good = []
    for i in range(given.count // 2):
        expression = Grammar(random.Random(f"{given.seed} expression {i}")).expression()
        if add("{{ " + expression + " }}"):
            good.append(expression)
    for i in range(given.count // 2):
        grammar = Grammar(random.Random(f"{given.seed} {i}"), good)
        source = grammar.body(0)
        if grammar.rng.random() < 0.03:  # damages a few templates
            at = grammar.rng.randrange(len(source) + 1)
            source = source[:at] + grammar.pick(["", "{", "}", "%}", "{{", "'", "(", "|", "}}", "-"]) + source[at + 1:]
        add(source)
    refused = sum(text is None for _, text in cases)
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump({"names": NAMES, "snippets": cases}, file)
    done = subprocess.run([given.program, "[.cases]"], env=os.environ | {"RUNG_TEMPLATE_CASES": file.name}, capture_output=True, text=True)
    print(done.stdout[-200000:])
    print(f"seed {given.seed}: {len(cases)} templates compared ({refused} rejected by Jinja2), {unfair} left out", "exit",
          done.returncode)
    os.unlink(file.name)


if __name__ == "__main__":
    main()
