"""Writes the reference pages: run_doxygen.py DOXYGEN DOXYFILE SOURCE OUTPUT

Doxygen finds the pages that Markdown links point at only where their paths have no spaces. So it sees SOURCE and
OUTPUT, whose paths may have any, as the folders `source` and `output` of a temporary one.
"""

import os
import subprocess
import sys
import tempfile

doxygen, doxyfile, source, output = map(os.path.abspath, sys.argv[1:])
with tempfile.TemporaryDirectory(prefix="rung-docs-") as folder:
    os.symlink(source, os.path.join(folder, "source"))
    os.symlink(output, os.path.join(folder, "output"))
    sys.exit(subprocess.run([doxygen, doxyfile], cwd=folder).returncode)
