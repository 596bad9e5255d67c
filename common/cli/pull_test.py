#!/usr/bin/env python3
"""Runs `rung pull` against a hub of its own on 127.0.0.1: downloads, breaks, refusals and hostile answers.

usage: pull_test.py RUNG SCRATCH_FOLDER
"""

import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

# Scripts that import this one may run at the same time: each has a folder of its own.
RUNG = os.path.abspath(sys.argv[1])
SCRATCH = os.path.join(os.path.abspath(sys.argv[2]), os.path.basename(sys.argv[0]).removesuffix("_test.py"))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def read(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


GGUF = read(ROOT, "models", "tiny.gguf")
FOLDER = {name: read(ROOT, "models", "tiny", name) for name in os.listdir(os.path.join(ROOT, "models", "tiny"))}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def blob_sha1(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Hub:
    """What the servers know and what they were asked."""

    def __init__(self):
        self.repositories = {}  # "owner/name" -> {file: bytes}
        self.requests = []      # (port, path, headers)
        self.cut_after = []     # one entry per file request: break it off after so many bytes; None: do not
        self.ranges = True      # whether Range is honored
        self.etag = '"one"'
        self.wrong = {}         # file -> other bytes than the list announces
        self.names = {}         # file -> name in the list
        self.gated = set()
        self.statuses = []      # answer so many requests of files with these
        self.redirect_to = None # another server that serves the files
        self.slow = 0           # seconds between pieces of 64 KiB
        self.listing = None     # bytes to answer instead of the list

    def asked(self, word):
        return [r for r in self.requests if word in r[1]]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        hub = self.server.hub
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        hub.requests.append((self.server.server_port, path, dict(self.headers)))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self.list(hub, "/".join(parts[2:4]), "/".join(parts[5:]))
        repository, file = "/".join(parts[:2]), "/".join(parts[4:])
        if hub.redirect_to and self.server.server_port != hub.redirect_to:
            return self.answer(302, b"moved", Location=f"http://127.0.0.1:{hub.redirect_to}{self.path}",
                               X_Linked_Etag="x")
        if hub.statuses:
            return self.answer(hub.statuses.pop(0), b"busy")
        if repository in hub.gated and "Authorization" not in self.headers:
            return self.answer(403, b"no", X_Error_Code="GatedRepo")
        self.file(hub, hub.wrong.get(file, hub.repositories[repository][file]))

    def list(self, hub, repository, revision):
        if hub.listing is not None:
            return self.answer(200, hub.listing)
        if repository not in hub.repositories:
            return self.answer(401 if "private" in repository else 404, b"{}", X_Error_Code="RepoNotFound")
        if revision not in ("main", COMMIT, "refs/pr/1"):
            return self.answer(404, b"{}", X_Error_Code="RevisionNotFound")
        siblings = []
        for name, data in hub.repositories[repository].items():
            entry = {"rfilename": hub.names.get(name, name), "size": len(data), "blobId": blob_sha1(data)}
            if name.endswith((".gguf", ".safetensors")):
                entry["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
            siblings.append(entry)
        self.answer(200, json.dumps({"id": repository, "sha": COMMIT, "siblings": siblings}).encode())

    def file(self, hub, data):
        begin, whole = 0, len(data)
        asked = self.headers.get("Range")
        if asked and hub.ranges and self.headers.get("If-Range", hub.etag) == hub.etag:
            begin = int(asked[len("bytes="):-1])
            if begin >= whole:
                return self.answer(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
        else:
            self.send_response(200)
        self.send_header("ETag", hub.etag)
        self.send_header("Content-Length", str(whole - begin))
        self.end_headers()
        cut = hub.cut_after.pop(0) if hub.cut_after else None
        end = whole if cut is None else min(whole, begin + cut)
        try:
            for at in range(begin, end, 1 << 16):
                self.wfile.write(data[at:min(at + (1 << 16), end)])
                time.sleep(hub.slow)
        except OSError:
            pass  # the client went away
        if end < whole:
            self.close_connection = True


class Server:
    def __init__(self, hub, handler=Handler):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.hub = hub
        self.port = self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Case(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(SCRATCH, ignore_errors=True)
        self.home = os.path.join(SCRATCH, "home")
        self.cache = os.path.join(self.home, "hub")
        os.makedirs(SCRATCH)
        self.hub = Hub()
        self.hub.repositories = {
            "me/story-GGUF": {"README.md": b"a story", "story-F16.gguf": GGUF},
            "me/story": {**FOLDER, "README.md": b"a story", "onnx/model.onnx": b"x"},
        }
        self.server = Server(self.hub)

    def tearDown(self):
        self.server.close()
        shutil.rmtree(SCRATCH, ignore_errors=True)

    def environment(self, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING")) and "proxy" not in k.lower()}
        return {**kept, "HOME": SCRATCH, "HF_HOME": self.home, "HF_ENDPOINT": f"http://127.0.0.1:{self.server.port}",
                "XDG_CACHE_HOME": SCRATCH, **more}

    def run_rung(self, *args, **more):
        return subprocess.run([RUNG, *args], capture_output=True, timeout=120, env=self.environment(**more))

    def pull(self, *args, **more):
        done = self.run_rung("pull", *args, "--json", **more)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def refused(self, code, words, *args, **more):
        done = self.run_rung(*args, **more)
        told = done.stderr.decode()
        self.assertEqual(done.returncode, code, told)
        self.assertIn(words, told)
        self.assertEqual(done.stdout, b"")
        return told

    def blobs(self, name):
        folder = os.path.join(self.cache, "models--" + name.replace("/", "--"), "blobs")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


class Pull(Case):
    def test_gguf_and_then_use_it(self):
        self.refused(1, "rung pull me/story-GGUF", "generate", "-m", "me/story-GGUF", "-p", "Once", "-n", "4")
        out = self.pull("me/story-GGUF")
        self.assertEqual(read(out["path"]), GGUF)
        self.assertEqual(out["commit"], COMMIT)
        self.assertEqual(out["bytes_downloaded"], len(GGUF))
        self.assertEqual(out["files"][0]["sha256"], sha256(GGUF))
        self.assertEqual(self.blobs("me/story-GGUF"), [sha256(GGUF)])
        folder = os.path.join(self.cache, "models--me--story-GGUF")
        self.assertEqual(read(folder, "refs", "main").decode(), COMMIT)
        link = os.path.join(folder, "snapshots", COMMIT, "story-F16.gguf")
        self.assertEqual(os.readlink(link), f"../../blobs/{sha256(GGUF)}")
        for name in ("me/story-GGUF", "me/story-GGUF:F16", "me/story-GGUF:story-F16.gguf"):
            done = self.run_rung("generate", "-m", name, "-p", "Once upon a time", "-n", "8", "--temp", "0")
            self.assertEqual(done.returncode, 0, done.stderr.decode())
            direct = self.run_rung("generate", "-m", "tiny", "-p", "Once upon a time", "-n", "8", "--temp", "0")
            self.assertEqual(done.stdout, direct.stdout)
        self.refused(1, "story-F16.gguf", "generate", "-m", "me/story-GGUF:Q2_K", "-p", "Once")
        # Again: only the list is asked for.
        asked = len(self.hub.asked("/resolve/"))
        self.assertTrue(self.pull("me/story-GGUF")["files"][0]["already_there"])
        self.assertEqual(len(self.hub.asked("/resolve/")), asked)

    def test_folder_model(self):
        out = self.pull("me/story")
        self.assertEqual(sorted(f["name"] for f in out["files"]), sorted(FOLDER))
        for name, data in FOLDER.items():
            self.assertEqual(read(out["path"], name), data)
        small = next(f for f in out["files"] if f["name"] == "config.json")
        self.assertEqual(small["git_sha1"], blob_sha1(FOLDER["config.json"]))
        done = self.run_rung("generate", "-m", "me/story", "-p", "Once", "-n", "4", "--temp", "0")
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_to_a_folder_and_another_revision(self):
        to = os.path.join(SCRATCH, "here")
        out = self.pull("me/story-GGUF", "--to", to, "--revision", "refs/pr/1")
        self.assertEqual(out["path"], os.path.join(to, "story-F16.gguf"))
        self.assertEqual(os.listdir(to), ["story-F16.gguf"])
        self.assertFalse(os.path.exists(self.cache))
        self.assertTrue(self.pull("me/story-GGUF", "--to", to)["files"][0]["already_there"])
        with open(out["path"], "ab") as f:
            f.write(b"x")
        self.refused(1, "is another file", "pull", "me/story-GGUF", "--to", to)
        self.pull("me/story-GGUF", "--revision", "refs/pr/1")
        self.assertEqual(read(self.cache, "models--me--story-GGUF", "refs", "refs", "pr", "1").decode(), COMMIT)
        self.refused(1, "no revision 'v9'", "pull", "me/story-GGUF", "--revision", "v9")
        self.refused(2, "is no revision", "pull", "me/story-GGUF", "--revision", "../up")

    def test_goes_on_after_a_cut_connection(self):
        self.hub.cut_after = [1_000_000, 100_000]
        out = self.pull("me/story-GGUF")
        self.assertEqual(read(out["path"]), GGUF)
        self.assertEqual(out["bytes_downloaded"], len(GGUF))  # nothing came twice
        ranges = [r[2].get("Range") for r in self.hub.asked("/resolve/")]
        self.assertEqual(ranges, [None, "bytes=1000000-", "bytes=1100000-"])
        self.assertEqual(self.hub.asked("/resolve/")[1][2].get("If-Range"), '"one"')

    def test_a_second_run_goes_on(self):
        self.hub.cut_after = [2_000_000]
        told = self.refused(1, "what came is kept", "pull", "me/story-GGUF", "--retries", "0")
        self.assertIn("broke off", told)
        self.assertEqual(self.blobs("me/story-GGUF"), [sha256(GGUF) + ".incomplete", sha256(GGUF) + ".incomplete.etag"])
        self.refused(1, "rung pull", "generate", "-m", "me/story-GGUF", "-p", "x")
        out = self.pull("me/story-GGUF")
        self.assertEqual(out["files"][0]["resumed_from"], 2_000_000)
        self.assertEqual(out["bytes_downloaded"], len(GGUF) - 2_000_000)
        self.assertEqual(read(out["path"]), GGUF)
        self.assertEqual(self.blobs("me/story-GGUF"), [sha256(GGUF)])

    def test_starts_again_where_it_cannot_go_on(self):
        # A server without Range, and one whose file changed (If-Range does not hold).
        for change in ("ranges", "etag"):
            shutil.rmtree(self.home, ignore_errors=True)
            self.hub.cut_after = [1_500_000]
            self.refused(1, "what came is kept", "pull", "me/story-GGUF", "--retries", "0")
            setattr(self.hub, change, False if change == "ranges" else '"two"')
            out = self.pull("me/story-GGUF")
            self.assertEqual(out["bytes_downloaded"], len(GGUF))
            self.assertEqual(read(out["path"]), GGUF)
            self.hub.ranges = True

    def test_a_damaged_part_is_thrown_away(self):
        blobs = os.path.join(self.cache, "models--me--story-GGUF", "blobs")
        os.makedirs(blobs)
        for junk in (b"junk" * 1000, b"j" * (len(GGUF) + 1), b"j" * len(GGUF)):
            with open(os.path.join(blobs, sha256(GGUF) + ".incomplete"), "wb") as f:
                f.write(junk)
            self.assertEqual(read(self.pull("me/story-GGUF")["path"]), GGUF)
            os.remove(os.path.join(blobs, sha256(GGUF)))

    def test_wrong_checksum_keeps_nothing(self):
        bad = bytearray(GGUF)
        bad[12345] ^= 1
        self.hub.wrong["story-F16.gguf"] = bytes(bad)
        self.refused(1, "another checksum", "pull", "me/story-GGUF")
        blobs = os.path.join(self.cache, "models--me--story-GGUF", "blobs")
        self.assertEqual([os.path.getsize(os.path.join(blobs, b)) for b in os.listdir(blobs)], [0])
        self.refused(1, "rung pull", "generate", "-m", "me/story-GGUF", "-p", "x")
        for data, words in ((GGUF + b"more", "sends more than"), (GGUF[:-5], "sent less")):
            self.hub.wrong["story-F16.gguf"] = data
            self.refused(1, words, "pull", "me/story-GGUF", "--retries", "0")
        self.hub.wrong["config.json"] = FOLDER["config.json"].replace(b"4096", b"8192")
        self.refused(1, "another checksum", "pull", "me/story")

    def test_busy_server(self):
        self.hub.statuses = [503, 429, 500]
        self.assertEqual(read(self.pull("me/story-GGUF")["path"]), GGUF)
        self.hub.statuses = [503] * 2
        self.refused(1, "status 503", "pull", "me/story", "--retries", "1")

    def test_ctrl_c_keeps_the_part(self):
        self.hub.slow = 0.05
        process = subprocess.Popen([RUNG, "pull", "me/story-GGUF"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment())
        part = os.path.join(self.cache, "models--me--story-GGUF", "blobs", sha256(GGUF) + ".incomplete")
        for _ in range(200):
            time.sleep(0.05)
            if os.path.exists(part) and os.path.getsize(part) > 100_000:
                break
        self.refused(1, "another process is fetching", "pull", "me/story-GGUF")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual((process.returncode, out), (1, b""), err)
        self.assertIn(b"interrupted", err)
        kept = os.path.getsize(part)
        self.assertTrue(0 < kept < len(GGUF))
        self.hub.slow = 0
        self.assertEqual(self.pull("me/story-GGUF")["files"][0]["resumed_from"], kept)

    def test_refusals(self):
        self.refused(1, "there is no model 'me/absent'", "pull", "me/absent")
        self.refused(1, "(401)", "pull", "me/private")
        self.hub.gated = {"me/story-GGUF"}
        self.refused(1, "is gated", "pull", "me/story-GGUF")
        self.refused(2, "no model of the hub", "pull", "story")
        self.refused(2, "no model of the hub", "pull", "me/story:../x")
        self.refused(1, "no http or https", "pull", "me/story", "--endpoint", "file:///etc")
        self.refused(1, "HF_HUB_OFFLINE", "pull", "me/story", HF_HUB_OFFLINE="1")
        self.refused(1, "offline", "pull", "me/story", "--endpoint", "http://127.0.0.1:1")
        self.hub.repositories["me/empty"] = {"README.md": b"x"}
        self.refused(1, "holds neither", "pull", "me/empty")
        self.refused(1, "has no file 'x.gguf'", "pull", "me/empty:x.gguf")
        for listing in (b"", b"<html>", b"[]", b"{}", b'{"sha": 5}', b'{"sha": "x", "siblings": []}',
                        b'{"sha": "' + COMMIT.encode() + b'", "siblings": 3}', b"[" * 100000):
            self.hub.listing = listing
            self.refused(1, "", "pull", "me/story")

    def test_the_token_stays_at_home(self):
        other = Server(self.hub)
        try:
            self.hub.redirect_to = other.port
            self.assertEqual(read(self.pull("me/story-GGUF", HF_TOKEN="hf_secret")["path"]), GGUF)
            for port, path, headers in self.hub.requests:
                expected = "Bearer hf_secret" if port == self.server.port else None
                self.assertEqual(headers.get("Authorization"), expected, (port, path))
            self.assertTrue(any(port == other.port for port, _, _ in self.hub.requests))
        finally:
            other.close()
        # From the file that the login of Python's tools leaves; and it opens what is gated.
        self.hub.redirect_to, self.hub.gated = None, {"me/story"}
        with open(os.path.join(self.home, "token"), "w") as f:
            f.write("hf_file\n")
        self.pull("me/story")
        self.assertEqual(self.hub.requests[-1][2]["Authorization"], "Bearer hf_file")
        self.refused(1, "check HF_TOKEN", "pull", "me/story", HF_TOKEN="a\nX-Evil: b")

    def test_endless_redirects(self):
        self.hub.redirect_to = 1 << 20  # no server's port, so every server redirects; the address is none
        self.refused(1, "", "pull", "me/story-GGUF", "--retries", "0")

    def test_split_and_several(self):
        parts = {f"q8/s-Q8_0-0000{i}-of-00003.gguf": bytes([i]) * (1000 + i) for i in (3, 1, 2)}
        self.hub.repositories["me/big"] = {**parts, "s-Q4_0.gguf": b"4" * 2_000_000, "s-F16.gguf": b"16"}
        told = self.refused(2, "several GGUF files", "pull", "me/big")
        self.assertIn("2.0 MB  s-Q4_0.gguf", told)
        self.assertIn("q8/s-Q8_0-00001-of-00003.gguf", told)
        self.assertNotIn("00002-of", told)
        self.refused(2, "not exactly one", "pull", "me/big:Q2_K")
        out = self.pull("me/big:q8_0")
        self.assertEqual([f["name"] for f in out["files"]], sorted(parts))
        self.assertTrue(out["path"].endswith("q8/s-Q8_0-00001-of-00003.gguf"))
        for name, data in parts.items():
            self.assertEqual(read(os.path.dirname(out["path"]), os.path.basename(name)), data)

    def test_hostile_names(self):
        for name in ("../../evil.safetensors", "/tmp" + "/evil.safetensors", "a/../../evil.safetensors", "model\\x.safetensors",
                     "model\n.safetensors"):
            self.hub.names = {"model.safetensors": name}
            for to in ([], ["--to", os.path.join(SCRATCH, "here")]):
                done = self.run_rung("pull", "me/story", *to)
                self.assertEqual(done.returncode, 1, name)
        self.hub.names = {"model.safetensors": "model\\x.safetensors"}
        self.refused(1, "leads out of its folder", "pull", "me/story")
        left = [f for _, _, files in os.walk(SCRATCH) for f in files]
        self.assertEqual(left, [])

    def test_no_room(self):
        class Listed(bytes):
            def __len__(self):
                return 1 << 60
        self.hub.repositories["me/huge"] = {"huge.gguf": Listed(b"x")}
        self.refused(1, "make room", "pull", "me/huge")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
