"""Runs of `rung bench-serve` for the scripts that compare loads, schedulers and policies."""

import json
import subprocess


def serve(rung, model, *arguments):
    command = [rung, "bench-serve", "-m", model, *map(str, arguments), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def interleaved(rung, model, cases, repeats, tell=lambda run: f"{run['output_tok_s']:.0f} tokens/s"):
    """cases: name -> arguments, or a function of the round that returns them. -> name -> one run per round"""
    runs = {name: [] for name in cases}
    for turn in range(repeats):
        for name, arguments in cases.items():
            runs[name].append(serve(rung, model, *(arguments(turn) if callable(arguments) else arguments)))
            print(name, tell(runs[name][-1]), flush=True)
    return runs


def middle(runs, value):
    """The run in the middle by value(run); of two the one with the larger."""
    return sorted(runs, key=value)[len(runs) // 2]


def machine(rung, seam):
    """What `rung ladder` says about this machine and its limits."""
    command = [rung, "ladder", seam, "--measure", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["machine"]


def save(file, rows, **head):
    """A row per line, so that a change of one shows as one."""
    file.parent.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    named = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    file.write_text(f'{{{named}"rows": [\n{lines}\n]}}\n')
