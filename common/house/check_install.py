#!/usr/bin/env python3
"""Installs a build to a scratch prefix and builds and runs outside projects against it with find_package(rung).

Run as:  check_install.py BUILD OUTSIDE[=WORDS],... SCRATCH [CMAKE OPTIONS of the outside projects]

An outside project builds one program, called like its folder, that takes a model and prints WORDS.
"""

import shutil
import subprocess
import sys
from pathlib import Path


def run(command, what):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    print(done.stdout[-8000:])
    if done.returncode != 0:
        sys.exit(f"{what} failed with exit status {done.returncode}")
    return done.stdout


def main():
    if len(sys.argv) < 4:
        print("usage: check_install.py BUILD OUTSIDE[=WORDS],... SCRATCH [CMAKE OPTIONS]", file=sys.stderr)
        return 2
    build, scratch = Path(sys.argv[1]).resolve(), Path(sys.argv[3]).resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    prefix = scratch / "prefix"
    run(["cmake", "--install", str(build), "--prefix", str(prefix)], "installing (is everything built?)")
    model = prefix / "share" / "rung" / "models" / "tiny.gguf"
    for project in sys.argv[2].split(","):
        folder, _, words = project.partition("=")
        name = Path(folder).name
        own_build = scratch / f"build-{name}"
        # A copy, so that nothing beside it in the tree can be found by accident.
        shutil.copytree(folder, scratch / name)
        run(["cmake", "-S", str(scratch / name), "-B", str(own_build), f"-DCMAKE_PREFIX_PATH={prefix}", *sys.argv[4:]],
            f"configuring the outside project {name}")
        run(["cmake", "--build", str(own_build)], f"building the outside project {name}")
        output = run([str(own_build / name), str(model)], f"running the outside project {name}")
        if words not in output:
            sys.exit(f"the outside program {name} did not say '{words}'")
    run([str(prefix / "bin" / "rung"), "inspect", "tiny"], "running the installed rung")
    return 0


if __name__ == "__main__":
    sys.exit(main())
