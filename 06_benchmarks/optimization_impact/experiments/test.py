#!/usr/bin/env python3
"""Checks that rung reads each experiment of the course, and that each has a page which explains its result.

usage: test.py RUNG
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def main():
    files = sorted(FOLDER.glob("*.toml"))
    assert len(files) >= 5, files
    lesson = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    for file in files:
        done = subprocess.run([sys.argv[1], "experiment", file, "--dry-run", "--json"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        parts = json.loads(done.stdout)
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        assert len(parts) == len(content["part"]) and all(len(part["variants"]) >= 2 for part in parts), parts
        page = file.with_suffix(".md").read_text(encoding="utf-8")
        question = " ".join(content["question"].split())
        assert question in " ".join(page.split()), f"{page} and {file} have different questions"
        for link in (file, file.with_suffix(".md")):
            assert f"(experiments/{link.name})" in lesson, f"the lesson does not link to {link.name}"
    print(f"{len(files)} experiments with their pages")


if __name__ == "__main__":
    main()
