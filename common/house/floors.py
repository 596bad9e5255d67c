#!/usr/bin/env python3
"""The floors of the house, enforced: reads every #include of the tree and fails on one that points up or sideways.

Run as:  floors.py TREE        checks a source tree; exit status 1 and one line per broken rule
         floors.py --self-test checks this script on a made-up tree that breaks every rule

The floors (bottom first; a file may include its own floor's folder and everything below):
  core, model, seams, ops, chapters 01-05, engine, cli, 06_benchmarks, 07 and 08
A topic of chapters 01-05, 07 and 08 never includes another topic. The topics of 06 share one harness. Tests and
benchmarks may also include testing/.
"""

import re
import sys
import tempfile
from pathlib import Path

COMMON = ["core", "model", "seams", "ops", "engine", "cli"]
LEVEL = {"core": 0, "model": 1, "seams": 2, "ops": 3, "chapters": 4, "engine": 5, "cli": 6, "benchmarks": 7, "programs": 8}
SOURCES = {".cpp", ".hpp", ".h", ".cu", ".cuh", ".inl"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CHAPTER = re.compile(r"^0([1-8])_[a-z_]+$")


def unit_of(path):
    """(floor, folder that may include itself) of a path relative to the tree; None when it is on no floor."""
    parts = path.parts
    if parts[0] == "common" and len(parts) > 2:
        if parts[1] in ("testing", "house"):
            return parts[1], "common/" + parts[1]
        if parts[1] in COMMON:
            return parts[1], "common/" + parts[1]
        return None
    chapter = CHAPTER.match(parts[0])
    if chapter is None or len(parts) < 2:
        return None
    number = int(chapter.group(1))
    if number == 6:
        return "benchmarks", parts[0]
    folder = "/".join(parts[:2]) if len(parts) > 2 else parts[0]
    return ("chapters" if number <= 5 else "programs"), folder


def is_test(path):
    stem = path.stem
    return stem in ("test", "bench") or stem.endswith(("_test", "_bench")) or path.parts[:2] == ("common", "testing")


def resolve(tree, file, name):
    """The file of the tree that an include means, relative to the tree; None when it is not one of ours."""
    for folder in (tree / file.parent, tree / "common", tree):
        candidate = (folder / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(tree):
            return candidate.relative_to(tree)
    return None


def judge(file, target):
    """Why `file` may not include `target` (both relative to the tree); None when it may."""
    here, there = unit_of(file), unit_of(target)
    if there is None:
        return "is on no floor"
    if here[1] == there[1]:
        return None
    if there[0] in ("testing", "house"):
        return None if is_test(file) and there[0] == "testing" else "is for tests and benchmarks only"
    if here[0] == "testing":
        return None if there[0] == "core" else "points up: testing/ knows core only"
    if here[0] == "house":
        return None
    if LEVEL[there[0]] > LEVEL[here[0]]:
        return f"points up, from {here[0]} to {there[0]}"
    if LEVEL[there[0]] == LEVEL[here[0]]:
        return f"points sideways, from {here[1]} to {there[1]}"
    return None


def check(tree):
    tree = Path(tree).resolve()
    problems, includes = [], 0
    tops = [tree / "common"] + sorted(p for p in tree.iterdir() if p.is_dir() and CHAPTER.match(p.name))
    for path in sorted(p for top in tops for p in top.rglob("*") if p.suffix in SOURCES and p.is_file()):
        file = path.relative_to(tree)
        if unit_of(file) is None:
            problems.append(f"{file}: is on no floor; floors.py lists them")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if match is None:
                continue
            target = resolve(tree, file, match.group(2))
            if target is None:
                if match.group(1) == '"':
                    problems.append(f'{file}:{number}: "{match.group(2)}" is no file of this tree; '
                                    f"write <{match.group(2)}> for a library's header")
                continue
            includes += 1
            reason = judge(file, target)
            if reason is not None:
                problems.append(f"{file}:{number}: {target} {reason}")
    return problems, includes


def self_test():
    good = {
        "common/core/a.hpp": "#include <vector>\n",
        "common/model/m.hpp": '#include "core/a.hpp"\n',
        "common/seams/s.hpp": '#include "model/m.hpp"\n#include <fmt/core.h>\n',
        "common/ops/o.hpp": '#include "seams/s.hpp"\n',
        "common/testing/t.hpp": '#include "core/a.hpp"\n',
        "common/engine/e.cpp": '#include "seams/s.hpp"\n',
        "common/engine/e.hpp": "",
        "common/engine/e_test.cpp": '#include "engine/e.hpp"\n#include "testing/t.hpp"\n',
        "03_techniques/x/x.hpp": "",
        "03_techniques/x/cuda/k.cu": '#include "../x.hpp"\n',
        "03_techniques/x/o.cpp": '#include "ops/o.hpp"\n',
        "03_techniques/x/test.cpp": '#include "x.hpp"\n  #  include "testing/t.hpp"\n',
        "06_benchmarks/claims/c.cpp": '#include "06_benchmarks/metrics/m.hpp"\n#include "engine/e.hpp"\n',
        "06_benchmarks/metrics/m.hpp": "",
        "07_projects/p/main.cpp": '#include "06_benchmarks/metrics/m.hpp"\n',
    }
    bad = {
        "common/core/up.hpp": ('#include "seams/s.hpp"\n', "points up"),
        "common/model/up.cpp": ('#include <seams/s.hpp>\n', "points up"),
        "common/seams/up.hpp": ('#include "../engine/e.hpp"\n', "points up"),
        "common/ops/up.hpp": ('#include "03_techniques/x/x.hpp"\n', "points up"),
        "03_techniques/x/engine.cpp": ('\n#include "engine/e.hpp"\n', "points up"),
        "03_techniques/y/y.cpp": ('#include "../x/x.hpp"\n', "points sideways"),
        "04_parallelism/z/z.cpp": ('#include "03_techniques/x/x.hpp"\n', "points sideways"),
        "05_serving/v/v.cpp": ('#include "06_benchmarks/metrics/m.hpp"\n', "points up"),
        "08_case_studies/w/w.cpp": ('#include "07_projects/p/main.cpp"\n', "points sideways"),
        "03_techniques/x/naive.cpp": ('#include "testing/t.hpp"\n', "for tests and benchmarks only"),
        "common/testing/up.hpp": ('#include "engine/e.hpp"\n', "points up"),
        "common/attic/old.cpp": ("\n", "on no floor"),
        "03_techniques/x/gone.cpp": ('#include "gone.hpp"\n', "no file of this tree"),
    }

    def write(tree, name, text):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)

    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name, text in good.items():
            write(tree, name, text)
        problems, includes = check(tree)
        assert problems == [], problems
        assert includes == 14, includes
        for name, (text, _) in bad.items():
            write(tree, name, text)
        problems, _ = check(tree)
        for name, (_, reason) in bad.items():
            assert any(p.startswith(name) and reason in p for p in problems), (name, reason, problems)
        assert len(problems) == len(bad), problems
    print(f"floors.py finds each of {len(bad)} broken rules in a made-up tree, and none in a sound one")


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 2:
        print("usage: floors.py TREE | --self-test", file=sys.stderr)
        return 2
    problems, includes = check(sys.argv[1])
    print("\n".join(problems) or f"{includes} includes, none points up or sideways")
    if not problems and includes < 20:
        print("that is too few: is this the tree of Rung?")
        return 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
