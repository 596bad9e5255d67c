#!/usr/bin/env python3
"""Prints the build targets that the tests need which a call of CTest would run, one per line.

Run as:  select_targets.py BUILD [CTEST ARGS]     a configured build; nothing of it needs to be built

BUILD/test_targets.txt says what each test needs (cmake/rung_test.cmake).
"""

import json
import subprocess
import sys
from pathlib import Path


def rows(build):
    """(name of a test, its targets, its folder) of every test."""
    for line in (build / "test_targets.txt").read_text(encoding="utf-8").splitlines():
        name, targets, folder = line.split("\t")
        yield name, targets.split(), folder


def needs_of_tests(build):
    """{name of a test: its targets}"""
    return {name: targets for name, targets, _ in rows(build)}


def folders_of_tests(build):
    """{name of a test: its folder in the source tree}"""
    return {name: folder for name, _, folder in rows(build)}


def selected_tests(build, arguments):
    """The names of the tests that `ctest ARGUMENTS` would run. Raises SystemExit where CTest refuses the arguments."""
    done = subprocess.run(["ctest", "--test-dir", str(build), "--show-only=json-v1", *arguments],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(done.returncode)
    # With -V and its like CTest writes lines before the JSON document.
    document = done.stdout[done.stdout.index("{"):]
    return [test["name"] for test in json.JSONDecoder().raw_decode(document)[0]["tests"]]


def main():
    if len(sys.argv) < 2:
        print("usage: select_targets.py BUILD [CTEST ARGS]", file=sys.stderr)
        return 2
    build = Path(sys.argv[1])
    needs = needs_of_tests(build)
    tests = selected_tests(build, sys.argv[2:])
    unknown = [test for test in tests if test not in needs]
    if unknown:
        print(f"no targets are known for the test {unknown[0]}; add it with rung_add_test or say rung_test_needs "
              "(cmake/rung_test.cmake)", file=sys.stderr)
        return 1
    print("\n".join(sorted({target for test in tests for target in needs[test]})))
    return 0


if __name__ == "__main__":
    sys.exit(main())
