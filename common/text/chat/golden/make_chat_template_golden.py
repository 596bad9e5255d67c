"""Writes chat_template_golden.json for chat_template_parity_test.cpp: output of Jinja2 in transformers' environment.

    python common/text/chat/golden/make_chat_template_golden.py TEMPLATES

TEMPLATES is a folder of published chat templates (*.jinja). The file contains
    conversations   inputs of the templates: messages, tools and other names
    renderings      per template: the output for every conversation, without and with a generation prompt; null if the
                    template rejects the conversation
    names           variables of the snippets
    snippets        pairs of small handwritten templates and their output, which is null if Jinja2 raises an error
Needs transformers and jinja2.
"""
import json
import random
import sys
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

from chat_template_snippets import NAMES, SNIPPETS

HERE = Path(__file__).parent
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a \"place\", now & <later>.",
    "parameters": {"type": "object", "properties": {
        "place": {"type": "string", "description": "Stadt, z. B. K\u00f6ln \U0001f327"},
        "days": {"type": "integer", "default": 3}, "ratio": {"type": "number", "default": 0.5},
        "unit": {"type": "string", "enum": ["c", "f"]}}, "required": ["place"]}}}
EMPTY = {"type": "function", "function": {"name": "now", "parameters": {}, "return": {"type": "string"}}}


def user(text):
    return {"role": "user", "content": text}


def assistant(text, **more):
    return {"role": "assistant", "content": text} | more


def call(name, arguments, identity="call12345"):
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def conversations():
    system = {"role": "system", "content": "  You are terse.\n"}
    called = [user("Wetter in K\u00f6ln?"), assistant("", tool_calls=[call("get_weather", {"place": "K\u00f6ln", "days": 2})]),
              {"role": "tool", "content": "{\"rain\": true}", "tool_call_id": "call12345", "name": "get_weather"},
              assistant("It rains."), user("Thanks!")]
    twice = [user("a"), assistant(None, tool_calls=[call("now", {}), call("get_weather", {"place": "x", "list": [1, 2.5, None, True]},
                                                                           "abcdefghi")]),
             {"role": "tool", "content": "12:00", "tool_call_id": "call12345"},
             {"role": "tool", "content": [{"type": "text", "text": "sun"}], "tool_call_id": "abcdefghi"}, assistant("ok")]
    plain = [
        [user("Hello")], [system, user("Hello")], [user("Hi"), assistant("Hello!"), user("How are you?")],
        [system, user("  spaces around  "), assistant("\tanswer\n\n"), user("\n")], [user("")], [system], [],
        [user("one"), user("two")], [assistant("I begin"), user("ok")], [user("a"), assistant("b")],
        [user("quotes ' \" \\ {{ braces }} {% tags %} <|im_end|> </s> \u0000 \u001f \x7f")],
        [user("\u4f60\u597d\uff0c\u4e16\u754c \U0001f468\u200d\U0001f469 e\u0301 \u00a0\u2003\u3000"), assistant("\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439"), user("\u200f\u05e9\u05dc\u05d5\u05dd")],
        [{"role": "developer", "content": "x"}, user("y")], [user(["a", "b"])], [user(7)], [{"role": "user"}],
        [system, {"role": "system", "content": "again"}, user("x")],
    ]
    some = [{"messages": m} for m in plain]
    some += [{"messages": m, "tools": t} for m in (called, twice, [system] + called, [system, user("x")], [user("x")], [])
             for t in ([WEATHER], [WEATHER, EMPTY])]
    some += [{"messages": called}, {"messages": twice}]
    some += [{"messages": [system] + called, "tools": [WEATHER], "more": {"tools_in_user_message": False, "date_string": "1 Jan 2020"}},
             {"messages": called, "more": {"builtin_tools": ["get_weather", "code_interpreter", "x"]}},
             {"messages": [user("x")], "more": {"custom_tools": [EMPTY]}}, {"messages": [user("x")], "more": {"bos_token": ""}}]
    rng = random.Random(5)
    for _ in range(8):  # longer conversations
        m = [system] if rng.random() < 0.5 else []
        for turn in range(rng.randrange(1, 7)):
            m.append(user(rng.choice(["Why?", "\u00dcber 3 < 4 & 5", " a\nb ", "x" * 40])))
            m.append(assistant(rng.choice(["Because.", "", "  no \n", "1. a\n2. b"])))
        some.append({"messages": m[:-1] if rng.random() < 0.8 else m})
    return some


def render(template, **names):
    try:
        return template.render(**names)
    except Exception:  # for any error, there is no output
        return None


def main():
    all_conversations = conversations()
    renderings = {}
    for path in sorted(Path(sys.argv[1]).glob("*.jinja")):
        with open(path, newline="") as file:
            template = _compile_jinja_template(file.read())
        renderings[path.name] = [
            [render(template, **{"bos_token": "<s>", "eos_token": "</s>", "messages": c["messages"], "tools": c.get("tools"),
                                 "documents": None, "add_generation_prompt": prompt} | c.get("more", {}))
             for prompt in (False, True)] for c in all_conversations]
    snippets = []
    for source in SNIPPETS:
        try:
            template = _compile_jinja_template(source)
        except Exception:
            snippets.append([source, None])
            continue
        snippets.append([source, render(template, **NAMES, messages=[], tools=None, documents=None, add_generation_prompt=True)])
    golden = {"jinja2": jinja2.__version__, "transformers": transformers.__version__, "conversations": all_conversations,
              "renderings": renderings, "names": NAMES, "snippets": snippets}
    (HERE / "chat_template_golden.json").write_text(json.dumps(golden, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n")
    total = [t for r in renderings.values() for pair in r for t in pair]
    print(f"{len(total)} renderings ({sum(t is None for t in total)} rejected), {len(snippets)} snippets "
          f"({sum(t is None for _, t in snippets)} errors)")


if __name__ == "__main__":
    main()
