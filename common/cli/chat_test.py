#!/usr/bin/env python3
"""Runs `rung chat` as its users do: conversations, templates, commands, the terminal, Ctrl-C.

usage: chat_test.py RUNG SCRATCH_FOLDER SHARED_FOLDER
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import unittest

from cli_test import ROOT, RUNG, SCRATCH, Case, read, run, scratch


class Chat(Case):
    CHATML = ("{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
              "{% if add_generation_prompt %}<assistant>{% endif %}")

    def template(self, text, name="chat.jinja"):
        path = scratch(name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def chat(self, lines, *args, json=True):
        options = ("chat", "-n", 8, "--temp", 0, *args)
        stdin = "\n".join(lines).encode()
        return self.json(*options, stdin=stdin) if json else self.ok(*options, stdin=stdin)

    def test_turns_and_history(self):
        path = self.template(self.CHATML)
        out = self.chat(["Once upon", "a time", ""], "--template", path, "--system", "Be brief.")
        self.assertEqual([m["role"] for m in out["messages"]], ["system", "user", "assistant", "user", "assistant"])
        self.assertEqual([t["user"] for t in out["turns"]], ["Once upon", "a time"])
        for turn, answer in zip(out["turns"], out["messages"][2::2]):
            self.assertEqual(turn["text"], answer["content"])
            self.assertLessEqual(turn["completion_tokens"], 8)
        self.assertGreater(out["turns"][1]["prompt_tokens"], out["turns"][0]["prompt_tokens"])
        self.assertEqual(out["template"], path)
        # The first answer is what generate says to the same text.
        text = "<system>Be brief.\n<user>Once upon\n<assistant>"
        said = self.json("generate", "-p", text, "-n", 8, "--temp", 0, "--no-bos")
        self.assertEqual(said["text"], out["turns"][0]["text"])
        self.assertEqual(said["prompt_tokens"], out["turns"][0]["prompt_tokens"])
        plain = self.chat(["Once upon", "a time"], "--template", path, "--system", "Be brief.", json=False).decode()
        self.assertEqual(plain, "".join(t["text"] + "\n" for t in out["turns"]))

    def test_the_embedded_story_teller(self):
        out = self.json("chat", "-n", 60, "--temp", 0, stdin=b"Tell me a story about a fox.\nGo on.")
        self.assertEqual([t["user"] for t in out["turns"]], ["Tell me a story about a fox.", "Go on."])
        for turn in out["turns"]:
            self.assertGreater(len(turn["text"].split()), 10, turn)
            self.assertNotIn("<|", turn["text"])  # markers are tokens, not text
        said = self.json("generate", "-p", "<|endoftext|><|user|>Tell me a story about a fox.<|story|>", "-n", 60,
                         "--temp", 0, "--no-bos")
        self.assertEqual(said["text"], out["turns"][0]["text"])
        self.assertEqual(said["prompt_tokens"], out["turns"][0]["prompt_tokens"])

    def test_lines_and_commands(self):
        path = self.template(self.CHATML)
        saved = scratch("chat.json")
        out = self.chat(["one\\", "two", '"""', "three", "", " four", '"""', "//slash", "/regen", f"/save {saved}"],
                        "--template", path)
        self.assertEqual([t["user"] for t in out["turns"]], ["one\ntwo", "three\n\n four", "/slash", "/slash"])
        self.assertEqual(len(out["messages"]), 6)
        with open(saved, encoding="utf-8") as f:
            self.assertEqual(json.load(f)["messages"], out["messages"])
        out = self.chat(["a", "/clear", "/system You rhyme.", "b", "/exit", "c"], "--template", path)
        self.assertEqual([m["content"] for m in out["messages"][:2]], ["You rhyme.", "b"])
        self.assertEqual(len(out["turns"]), 2)
        self.assertEqual(self.chat(["a", "/system", "b"], "--template", path, "--system", "s")["messages"][0]["content"], "a")

    def test_full_context_forgets_the_oldest_turns(self):
        path = self.template(self.CHATML)
        out = self.chat(["The king and the queen were happy. "] * 8, "--template", path, "--ctx", 80, "--system", "Short.")
        self.assertGreater(sum(t["forgotten_messages"] for t in out["turns"]), 0)
        self.assertEqual([m["role"] for m in out["messages"][:3]], ["system", "user", "assistant"])
        self.assertTrue(all(t["prompt_tokens"] + t["completion_tokens"] <= 80 for t in out["turns"]))
        done = run("chat", "--template", path, "--ctx", 40, "--json", stdin=b"word " * 200)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"the context holds 40", done.stderr)

    def test_templates(self):
        bare = scratch("cli_no_template")
        shutil.copytree(os.path.join(ROOT, "models", "tiny"), bare, dirs_exist_ok=True)
        with open(os.path.join(bare, "tokenizer_config.json"), "r+", encoding="utf-8") as f:
            config = json.load(f)
            del config["chat_template"]
            f.seek(0)
            f.truncate()
            json.dump(config, f)
        self.refused(1, "has no chat template; give one with --template FILE", "chat", "-m", bare, stdin=b"hi")
        out = self.chat(["Hello"], "--no-template")
        self.assertEqual(out["template"], "--no-template")
        self.refused(2, "", "chat", "--no-template", "--template", "x")
        self.refused(1, "cannot read the template", "chat", "--template", scratch("absent.jinja"))
        self.refused(1, "bad.jinja, line 2", "chat", "--template", self.template("a\n{% if %}", "bad.jinja"))
        strict = self.template("{{ raise_exception('no users') }}", "strict.jinja")
        self.refused(1, "the template refuses this: no users", "chat", "--template", strict, stdin=b"hi")
        self.refused(1, "empty prompt", "chat", "--template", self.template("", "empty.jinja"), stdin=b"hi")
        self.refused(2, "-n is 0", "chat", "-n", 0, "--no-template")
        self.refused(2, "there is no command /fly", "chat", "--no-template", stdin=b"/fly")
        self.refused(2, "there is no answer yet", "chat", "--no-template", stdin=b"/regen")
        self.assertEqual(self.json("chat", "--no-template", stdin=b"")["turns"], [])

    def test_ctrl_c_stops_the_answer_and_not_the_program(self):
        saved = scratch("chat_ctrl_c.json")
        if os.path.exists(saved):
            os.remove(saved)
        # The tokens that end a text are made impossible, so that the answer is long.
        process = subprocess.Popen([RUNG, "chat", "--template", self.template("{{ messages[-1].content }}"),
                                    "-n", "400", "--temp", "0", "--logit-bias", "0=-100", "--logit-bias", "3=-100"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"Once upon a time\n")
        process.stdin.flush()
        self.assertEqual(len(process.stdout.read(1)), 1)  # it has begun to answer
        process.send_signal(signal.SIGINT)
        process.stdin.write(f"The king\n/save {saved}\n/exit\n".encode())
        process.stdin.flush()
        self.assertEqual(process.communicate(timeout=120)[1].count(b"[stopped]"), 1)
        self.assertEqual(process.returncode, 0)
        messages = json.loads(read(saved))["messages"]
        self.assertEqual([m["role"] for m in messages], ["user", "assistant"] * 2)
        self.assertLess(len(messages[1]["content"]), len(messages[3]["content"]))

    def test_at_a_terminal(self):
        try:
            keyboard, terminal = os.openpty()
        except OSError as error:
            self.skipTest(f"this machine makes no terminals: {error}")
        process = subprocess.Popen([RUNG, "chat", "--no-template", "-n", "4"], stdin=terminal, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        os.close(terminal)
        os.write(keyboard, b"/help\n/nosuch\nHello\n")
        told = b""
        while told.count(b"> ") < 4:  # one prompt before each entry, one behind the answer
            told += os.read(process.stdout.fileno(), 4096)
        process.send_signal(signal.SIGINT)  # at the prompt: a hint, no end
        while b"Ctrl-D or /exit" not in told:
            told += os.read(process.stdout.fileno(), 4096)
        os.write(keyboard, b"/regen\n\x04")
        told = (told + process.communicate(timeout=60)[0]).decode()
        os.close(keyboard)
        self.assertEqual(process.returncode, 0, told)
        for words in ("/help lists the commands", "> ", "/save FILE", "[there is no command /nosuch", "Ctrl-D or /exit"):
            self.assertIn(words, told)

    def test_sigterm_ends_it_at_the_prompt(self):
        process = subprocess.Popen([RUNG, "chat", "--no-template"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdin.write(b"/help\n")  # its answer: the signals are caught by now
        process.stdin.flush()
        self.assertIn(b"/help", process.stderr.readline())
        process.send_signal(signal.SIGTERM)
        try:
            self.assertEqual(process.wait(timeout=60), 1)
        finally:
            process.kill()
        self.assertIn(b"rung: interrupted", process.communicate()[1])


if __name__ == "__main__":
    os.makedirs(SCRATCH, exist_ok=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
