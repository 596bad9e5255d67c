#!/usr/bin/env python3
"""Chooses the tests and files that a run of .ci/run covers with the tools that are too slow for everything: what
changed since the last run that passed, and a tenth of the rest. A test counts as changed when a file of its folder did.
Which tenth it is follows from the number of commits, so that ten runs of successive commits cover everything.

Run as:  choose.py part                      which part is this run's: "7 of 10"
         choose.py thread_turn               whether this run has ThreadSanitizer's turn: "yes" or "no"
         choose.py base                      the commit that changes are counted from
         choose.py tests BUILD [CTEST ARGS]  of the tests that CTest would run
         choose.py files BUILD               of the sources in BUILD/compile_commands.json, without tests
         choose.py headers BUILD             of the headers that compile alone: the objects to build, for ninja
         choose.py passed                    notes that this commit passed
         choose.py --self-test

After a change to most of the tree, only the 12 tests and the 24 files that changed last are certain to run. The others
count as part of the rest, and the script says so: all of them would take longer than the run may.

The commits that passed are in $XDG_CACHE_HOME/rung-ci/passed. Without that file, changes are counted from a day before
the newest commit, or from RUNG_CI_BASE=COMMIT.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

PARTS = 10
RUNS_PER_THREAD_TURN = 3
MOST_TESTS, MOST_FILES = 12, 24  # that run because they changed
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "cmake"))
from select_targets import folders_of_tests, selected_tests  # noqa: E402


def git(*arguments):
    done = subprocess.run(["git", "-c", "safe.directory=*", "-C", str(ROOT), *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def turn(parts):
    return int(git("rev-list", "--count", "HEAD") or 0) % parts


def record():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(cache) / "rung-ci" / "passed"


def base():
    """The newest commit known to have passed before HEAD; empty where there is no history."""
    asked = os.environ.get("RUNG_CI_BASE")
    if asked:
        return git("rev-parse", "--verify", f"{asked}^{{commit}}")
    if record().is_file():
        for commit in reversed(record().read_text(encoding="utf-8").split()):
            if git("merge-base", commit, "HEAD") == commit:
                return commit
    day = int(git("log", "-1", "--format=%ct") or 0) - 24 * 3600
    return git("rev-list", "-1", f"--before={day}", "HEAD") or git("rev-list", "--max-parents=0", "HEAD").split("\n")[0]


def changed_files():
    """{file: when it changed last, 0 for the newest}"""
    since = base()
    names = git("diff", "--name-only", "HEAD").splitlines()
    if since:
        alive = set(git("diff", "--name-only", since, "HEAD").splitlines())
        history = git("log", "--format=", "--name-only", f"{since}..HEAD").splitlines()
        names += [name for name in history if name in alive]
    ages = {}
    for name in names:
        ages.setdefault(name, len(ages))
    return ages


def choose(items, age, first, parts, most):
    """The items that changed, at most `most` and the newest first, and one in `parts` of the others, counted from the
    one with the index `first`. `age` of an item is None where it did not change."""
    changed = sorted((item for item in items if age(item) is not None), key=age)
    certain = set(changed[:most])
    rest = sorted(item for item in items if item not in certain)
    return sorted(certain | set(rest[first::parts]))


def choose_for_this_run(items, age, most):
    count = sum(age(item) is not None for item in items)
    if count > most:
        print(f"choose.py: {count} changed, and {most} of them are certain to run", file=sys.stderr)
    return choose(items, age, turn(PARTS), PARTS, most)


def choose_tests(build, arguments):
    folders = folders_of_tests(build)
    ages = {}
    for name, age in changed_files().items():
        ages.setdefault(str(Path(name).parent), age)
    return choose_for_this_run(selected_tests(build, arguments), lambda test: ages.get(folders[test]), MOST_TESTS)


def choose_files(build):
    """Tests are left out: the test framework's macros alone would fill the time."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    compiled = {os.path.relpath(command["file"], ROOT) for command in commands}
    sources = [name for name in git("ls-files", "*.cpp").splitlines() if not name.endswith("test.cpp")]
    return choose_for_this_run([name for name in sources if name in compiled], changed_files().get, MOST_FILES)


def choose_headers(build):
    """The object of common/core/x.hpp ends in headers/core_x.hpp.cpp.o (common/house/CMakeLists.txt)."""
    done = subprocess.run(["ninja", "-C", str(build), "-t", "query", "common/house/rung_headers_alone"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    made = {line.split("/headers/")[-1]: line.strip() for line in done.stdout.splitlines()}
    names = {name: name.removeprefix("common/").replace("/", "_") + ".cpp.o"
             for name in git("ls-files", "common/*.hpp").splitlines()}
    objects = {name: made[unit] for name, unit in names.items() if unit in made}
    return [objects[name] for name in choose_for_this_run(list(objects), changed_files().get, MOST_FILES)]


def passed():
    record().parent.mkdir(parents=True, exist_ok=True)
    known = record().read_text(encoding="utf-8").split() if record().is_file() else []
    head = git("rev-parse", "HEAD")
    record().write_text("\n".join([*[c for c in known if c != head][-99:], head]) + "\n", encoding="utf-8")


def self_test():
    items = [f"t{i:02d}" for i in range(23)]
    runs = [choose(items, {"t07": 3}.get, first, 5, 9) for first in range(5)]
    assert all("t07" in run for run in runs)
    assert sorted({item for run in runs for item in run}) == items, "five runs cover everything"
    others = [item for run in runs for item in run if item != "t07"]
    assert len(others) == len(set(others)) == 22, "nothing that did not change runs twice in five runs"
    assert max(map(len, runs)) - min(map(len, runs)) <= 1
    ages = {item: age for age, item in enumerate(reversed(items))}
    runs = [choose(items, ages.get, first, 5, 3) for first in range(5)]
    assert all({"t22", "t21", "t20"} <= set(run) for run in runs), "the newest run for certain"
    assert sorted({item for run in runs for item in run}) == items and max(map(len, runs)) == 7
    print("choose.py covers everything in as many runs as there are parts, and what changed in each")


def main():
    what, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if what == "--self-test":
        self_test()
    elif what == "part":
        print(f"{turn(PARTS)} of {PARTS}")
    elif what == "thread_turn":
        print("yes" if turn(RUNS_PER_THREAD_TURN) == 0 else "no")
    elif what == "base":
        print(base())
    elif what == "tests" and arguments:
        print("\n".join(choose_tests(Path(arguments[0]), arguments[1:])))
    elif what == "files" and arguments:
        print("\n".join(choose_files(Path(arguments[0]))))
    elif what == "headers" and arguments:
        print("\n".join(choose_headers(Path(arguments[0]))))
    elif what == "passed":
        passed()
    else:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
