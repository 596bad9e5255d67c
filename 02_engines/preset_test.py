#!/usr/bin/env python3
"""Tests a preset of --engine: the rungs that the engine's page names, and the same text as without a preset.

usage: preset_test.py RUNG PRESET PAGE
"""

import json
import pathlib
import re
import subprocess
import sys

PROMPT = ["-m", "tiny", "-p", "Once upon a time", "-n", "24", "--temp", "0"]


def run(program, *arguments):
    done = subprocess.run([program, *arguments, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"rung {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def main():
    program, preset, page = sys.argv[1:]
    promised = dict(re.findall(r"\| `(\w+)=(\w+)` \|", pathlib.Path(page).read_text(encoding="utf-8")))
    if len(promised) < 4:
        sys.exit(f"{page} names {len(promised)} rungs; at least 4 were expected")
    plain, chosen = run(program, "generate", *PROMPT), run(program, "generate", *PROMPT, "--engine", preset)
    for seam, rung in promised.items():
        if chosen["rungs"][seam] != rung:
            sys.exit(f"--engine {preset} uses rung '{chosen['rungs'][seam]}' of seam {seam}; its page names '{rung}'")
    if chosen["token_ids"] != plain["token_ids"]:
        sys.exit(f"--engine {preset} writes {chosen['text']!r}; without it the text is {plain['text']!r}")

    # Prompts that begin alike: the preset's prefix cache finds them.
    served = run(program, "bench-serve", "-m", "tiny", "--engine", preset, "--requests", "12", "--shared-prefix", "64",
                 "--output-tokens", "4-8")
    if not served["cache"]["hit_rate"] > 0.1:
        sys.exit(f"--engine {preset} found {served['cache']['hit_rate']:.0%} of 12 prompts that begin with the same 64 tokens")
    print(f"--engine {preset}: {', '.join(f'{seam} {rung}' for seam, rung in promised.items())}; the text is the same")


if __name__ == "__main__":
    main()
