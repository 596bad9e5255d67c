"""Runs `rung` and other programs of the build."""

import json
import subprocess
from pathlib import Path

RUNG = str(Path(__file__).resolve().parents[2] / "build" / "bin" / "rung")  # default of --rung


def run(program, *arguments, progress=False):
    """Runs a program and returns the completed process, with stdout and stderr as text. Ends the script with a message
    if the program fails. With progress=True, the program's stderr appears on the terminal and is not captured."""
    command = [str(word) for word in (program, *arguments)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=None if progress else subprocess.PIPE, text=True)
    except OSError as error:
        raise SystemExit(f"{program} cannot be run ({error.strerror}); build it, or name another program") from error
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed with exit status {done.returncode}: {done.stderr or 'see above'}")
    return done


def ask(rung, *arguments, progress=False):
    """Runs `rung ARGUMENTS --json` and returns its JSON."""
    return json.loads(run(rung, *arguments, "--json", progress=progress).stdout)


def serve(rung, model, *arguments):
    """Runs `rung bench-serve` once and returns its JSON."""
    return ask(rung, "bench-serve", "-m", model, *arguments)


def interleaved(rung, model, cases, repeats, text=lambda run: f"{run['output_tok_s']:.0f} tokens/s"):
    """Runs `rung bench-serve` in several rounds, each of which runs every case once. Rounds are necessary because the
    speed of a machine drifts. `cases` maps a name to arguments, or to a function that returns the arguments of a round.
    Returns a map from names to lists of runs, one per round. text(run) returns the text that is printed for a run."""
    runs = {name: [] for name in cases}
    for turn in range(repeats):
        for name, arguments in cases.items():
            runs[name].append(serve(rung, model, *(arguments(turn) if callable(arguments) else arguments)))
            print(name, text(runs[name][-1]), flush=True)
    return runs


def middle(runs, value):
    """Returns the run with the median value(run). Of two runs, it is the one with the larger value."""
    return sorted(runs, key=value)[len(runs) // 2]


def machine(rung, seam):
    """Returns the description of this machine and its limits by `rung ladder`."""
    return ask(rung, "ladder", seam, "--measure")["machine"]


def machine_text(description):
    """Returns a text with the machine's name, the number of threads and the SIMD level."""
    return f"{description['name']}, {description['threads']} threads, {description['simd']}"
