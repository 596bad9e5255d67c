"""Runs of `rung` and of other programs of the build."""

import json
import subprocess
from pathlib import Path

RUNG = str(Path(__file__).resolve().parents[2] / "build" / "bin" / "rung")  # unless --rung names another one


def run(program, *arguments, progress=False):
    """Runs a program and returns what it did, with the texts stdout and stderr. Ends the script with a sentence if the
    program fails. With progress=True, what the program writes to stderr appears on the terminal instead."""
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
    """The JSON that `rung ARGUMENTS --json` prints."""
    return json.loads(run(rung, *arguments, "--json", progress=progress).stdout)


def serve(rung, model, *arguments):
    """The JSON of one run of `rung bench-serve`."""
    return ask(rung, "bench-serve", "-m", model, *arguments)


def interleaved(rung, model, cases, repeats, text=lambda run: f"{run['output_tok_s']:.0f} tokens/s"):
    """Runs `rung bench-serve` for every case, and all of them again in every round, because the speed of a machine
    drifts. cases: name -> arguments, or a function from the round to arguments. Returns name -> runs, one per round.
    text: what is printed of a run."""
    runs = {name: [] for name in cases}
    for turn in range(repeats):
        for name, arguments in cases.items():
            runs[name].append(serve(rung, model, *(arguments(turn) if callable(arguments) else arguments)))
            print(name, text(runs[name][-1]), flush=True)
    return runs


def middle(runs, value):
    """The run with the median value(run); of two runs, the one with the larger value."""
    return sorted(runs, key=value)[len(runs) // 2]


def machine(rung, seam):
    """How `rung ladder` describes this machine and its limits."""
    return ask(rung, "ladder", seam, "--measure")["machine"]


def machine_text(description):
    """The machine in words: its name, the number of threads and the SIMD level."""
    return f"{description['name']}, {description['threads']} threads, {description['simd']}"
