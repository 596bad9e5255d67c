#!/usr/bin/env python3
"""Installs a build to a scratch prefix and builds and runs an outside project against it with find_package(rung).

Run as:  check_install.py BUILD OUTSIDE SCRATCH [CMAKE OPTIONS of the outside project]
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
        print("usage: check_install.py BUILD OUTSIDE SCRATCH [CMAKE OPTIONS]", file=sys.stderr)
        return 2
    build, outside, scratch = (Path(p).resolve() for p in sys.argv[1:4])
    shutil.rmtree(scratch, ignore_errors=True)
    prefix, own_build = scratch / "prefix", scratch / "build"
    run(["cmake", "--install", str(build), "--prefix", str(prefix)], "installing (is everything built?)")
    # A copy, so that nothing beside it in the tree can be found by accident.
    shutil.copytree(outside, scratch / "outside")
    run(["cmake", "-S", str(scratch / "outside"), "-B", str(own_build), f"-DCMAKE_PREFIX_PATH={prefix}",
         *sys.argv[4:]], "configuring the outside project")
    run(["cmake", "--build", str(own_build)], "building the outside project")
    model = prefix / "share" / "rung" / "models" / "tiny.gguf"
    output = run([str(own_build / "outside"), str(model)], "running the outside project")
    if "every rung agrees" not in output:
        sys.exit("the outside program did not say that every rung agrees")
    run([str(prefix / "bin" / "rung"), "inspect", "tiny"], "running the installed rung")
    return 0


if __name__ == "__main__":
    sys.exit(main())
