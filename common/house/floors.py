#!/usr/bin/env python3
"""The floors of the house, enforced: reads every #include of the tree, every import of a script and every path in it, and fails
on one that points up or sideways.

Run as:  floors.py TREE        checks a source tree; exit status 1 and one line per broken rule
         floors.py --self-test checks this script on a made-up tree that breaks every rule

The floors (bottom first; a file may include its own floor's folder and everything below):
  core, files, text, model, convert, seams, ops, devices, loop, chapters, catalog, engine, measure, cli, benchmarks, programs
A folder with rungs (register.cpp) is on the floor of the chapters, in 06 too: it implements a seam and knows no engine. What
else lies in 06 is on the floor of the benchmarks, 07 and 08 on that of the programs. A topic never includes another topic; the
benchmarks share one harness. Scripts may import what docs/, cmake/ and tools/ have. Tests, fuzz targets and benchmarks may also include testing/, and convert/, which makes models to
test with.
"""

import ast
import re
import sys
import tempfile
from pathlib import Path

FLOORS = ["core", "files", "text", "model", "convert", "seams", "ops", "devices", "loop", "chapters", "catalog", "engine", "measure",
          "cli", "benchmarks", "programs"]
LEVEL = {floor: level for level, floor in enumerate(FLOORS)}
COMMON = [floor for floor in FLOORS if floor not in ("chapters", "benchmarks", "programs")]
SOURCES = {".cpp", ".hpp", ".h", ".cu", ".cuh", ".inl"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CHAPTER = re.compile(r"^0([1-8])_[a-z_]+$")
FOLDER = re.compile(r"(?<![\w])0[1-8]_[a-z_]+(?:/[a-z0-9_]+)?")  # as a script names one


def unit_of(tree, path):
    """(floor, folder that may include itself) of a path relative to `tree`; None when it is on no floor."""
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
    folder = "/".join(parts[:2]) if len(parts) > 2 else parts[0]
    if number <= 5 or (tree / folder / "register.cpp").is_file():
        return "chapters", folder
    return ("benchmarks", parts[0]) if number == 6 else ("programs", folder)


def is_test(path):
    stem = path.stem
    return (stem in ("test", "bench", "test_support") or stem.endswith(("_test", "_bench")) or path.parts[:2] == ("common", "testing")
            or path.parent.name in ("fuzz", "golden"))


def resolve(tree, file, name):
    """The file of the tree that an include means, relative to the tree; None when it is not one of ours."""
    for folder in (tree / file.parent, tree / "common", tree):
        candidate = (folder / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(tree):
            return candidate.relative_to(tree)
    return None


def judge(tree, file, target):
    """Why `file` may not include `target` (both relative to the tree); None when it may."""
    here, there = unit_of(tree, file), unit_of(tree, target)
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
    if there[0] == "convert" and is_test(file):
        return None
    if LEVEL[there[0]] > LEVEL[here[0]]:
        return f"points up, from {here[0]} to {there[0]}"
    if LEVEL[there[0]] == LEVEL[here[0]]:
        return f"points sideways, from {here[1]} to {there[1]}"
    return None


def includes_of(tree, file, text):
    """(line, the included file relative to `tree`, None where it is none of ours, as it is written) of a C++ or CUDA source."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match is not None:
            yield number, resolve(tree, file, match.group(2)), match


def uses_of(tree, file, text, modules):
    """(line, file or folder relative to `tree`) of what a script imports and of the topics whose paths stand in its strings.
    modules: {name: the scripts and packages of that name}."""
    root = ast.parse(text)
    documentation = {id(node.value) for node in ast.walk(root) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}
    for node in ast.walk(root):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            found = modules.get(name.split(".")[0], [])
            if found and not any(path.parent == file.parent or path.parts[0] in ("docs", "cmake", "tools") for path in found):
                yield node.lineno, found[0]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            for match in FOLDER.finditer(node.value):
                folder = Path(match.group())
                # A chapter alone is joined with the topic's name elsewhere.
                yield node.lineno, folder / "README.md" if (tree / folder).is_dir() else folder.parent / "README.md"


def check(tree):
    tree = Path(tree).resolve()
    problems, includes = [], 0
    scripts = [p.relative_to(tree) for p in sorted(tree.rglob("*.py")) if not any(q.startswith(("build", ".")) for q in p.relative_to(tree).parts)]
    modules = {}
    for script in scripts:
        package = script.name == "__init__.py"
        modules.setdefault(script.parent.name if package else script.stem, []).append(script)
    tops = [tree / "common"] + sorted(p for p in tree.iterdir() if p.is_dir() and CHAPTER.match(p.name))
    for path in sorted(p for top in tops for p in top.rglob("*") if p.suffix in SOURCES and p.is_file()):
        file = path.relative_to(tree)
        if unit_of(tree, file) is None:
            problems.append(f"{file}: is on no floor; floors.py lists them")
            continue
        for number, target, match in includes_of(tree, file, path.read_text(encoding="utf-8")):
            if target is None:
                if match.group(1) == '"':
                    problems.append(f'{file}:{number}: "{match.group(2)}" is no file of this tree; '
                                    f"write <{match.group(2)}> for a library's header")
                continue
            includes += 1
            reason = judge(tree, file, target)
            if reason is not None:
                problems.append(f"{file}:{number}: {target} {reason}")
    for file in scripts:
        if unit_of(tree, file) is None:  # of docs/, of cmake/, of tools/
            continue
        for number, target in uses_of(tree, file, (tree / file).read_text(encoding="utf-8"), modules):
            includes += 1
            reason = judge(tree, file, target)
            if reason is not None:
                problems.append(f"{file}:{number}: {target} {reason}")
    return problems, includes


def self_test():
    good = {
        "common/core/a.hpp": "#include <vector>\n",
        "common/model/m.hpp": '#include "core/a.hpp"\n',
        "common/files/f.hpp": '#include "core/a.hpp"\n',
        "common/text/tokenizer/t.hpp": '#include "files/f.hpp"\n',
        "common/text/chat/c.hpp": '#include "text/tokenizer/t.hpp"\n',
        "common/convert/c.hpp": '#include "model/m.hpp"\n',
        "common/model/m_test.cpp": '#include "convert/c.hpp"\n#include "testing/t.hpp"\n',
        "common/text/chat/fuzz/fuzz_c.cpp": '#include "testing/t.hpp"\n',
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
        "common/loop/l.hpp": '#include "seams/s.hpp"\n',
        "common/catalog/variants.cpp": '#include "03_techniques/x/x.hpp"\n#include "06_benchmarks/metrics/m.hpp"\n',
        "03_techniques/x/l.cpp": '#include "loop/l.hpp"\n',
        "06_benchmarks/claims/c.cpp": '#include "06_benchmarks/harness/h.hpp"\n#include "engine/e.hpp"\n',
        "06_benchmarks/harness/h.hpp": '#include "06_benchmarks/metrics/m.hpp"\n',
        "06_benchmarks/metrics/m.hpp": "",
        "06_benchmarks/metrics/register.cpp": '#include "06_benchmarks/metrics/m.hpp"\n',
        "07_projects/p/main.cpp": '#include "06_benchmarks/metrics/m.hpp"\n',
        "tools/lessons/__init__.py": "",
        "03_techniques/x/measure.py": '"""Like 03_techniques/y."""\nimport json\nfrom lessons import ask\nFILE = "03_techniques/x/x.json"\n',
        "06_benchmarks/harness/run.py": 'FILE = "03_techniques/x/results/x.json"\n',
    }
    bad = {
        "common/core/up.hpp": ('#include "seams/s.hpp"\n', "points up"),
        "common/files/up.cpp": ('#include "text/tokenizer/t.hpp"\n', "points up"),
        "common/text/chat/up.cpp": ('#include "model/m.hpp"\n', "points up"),
        "common/model/convert.cpp": ('#include "convert/c.hpp"\n', "points up"),
        "common/model/up.cpp": ('#include <seams/s.hpp>\n', "points up"),
        "common/seams/up.hpp": ('#include "../engine/e.hpp"\n', "points up"),
        "common/ops/up.hpp": ('#include "03_techniques/x/x.hpp"\n', "points up"),
        "03_techniques/x/engine.cpp": ('\n#include "engine/e.hpp"\n', "points up"),
        "03_techniques/y/y.cpp": ('#include "../x/x.hpp"\n', "points sideways"),
        "06_benchmarks/metrics/up.cpp": ('#include "engine/e.hpp"\n', "points up"),
        "06_benchmarks/metrics/side.cpp": ('#include "03_techniques/x/x.hpp"\n', "points sideways"),
        "common/catalog/up.cpp": ('#include "engine/e.hpp"\n', "points up"),
        "03_techniques/y/measure.py": ('import json\nFILE = ROOT / "06_benchmarks" / "metrics"\n', "points up"),
        "03_techniques/y/plot.py": ('from measure import draw\nimport drawing\n', "points sideways"),
        "03_techniques/x/drawing.py": ('print("03_techniques/y/results")\n', "points sideways"),
        "04_parallelism/z/z.cpp": ('#include "03_techniques/x/x.hpp"\n', "points sideways"),
        "05_serving/v/v.cpp": ('#include "06_benchmarks/harness/h.hpp"\n', "points up"),
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
        assert includes == 29, includes
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
