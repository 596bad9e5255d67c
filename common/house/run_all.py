#!/usr/bin/env python3
"""Runs programs that do nothing: that they could be linked is the test. usage: run_all.py PROGRAM..."""

import subprocess
import sys

for program in sys.argv[1:]:
    subprocess.run([program], check=True)
print(f"{len(sys.argv) - 1} libraries link with what they name")
