"""Reads the files that `rung compare --out` and `rung experiment` write, and has the words for what is in them."""

import json
from pathlib import Path

FORMAT = "rung runs 1"
DISTURBING_LOAD = 0.2  # processors; common/core/other_load.hpp has the same number
LIMIT_WORDS = {"read_bandwidth": "read bandwidth", "fma_rate": "float32 FMA", "int8_rate": "int8", "bf16_rate": "bf16",
               "int8_tile_rate": "int8 tiles", "bf16_tile_rate": "bf16 tiles"}


class NotStoredRuns(Exception):
    """The file has something else. The message is a sentence that names the file."""


def read_runs(file):
    """Returns the content of a file of stored runs. Throws NotStoredRuns."""
    file = Path(file)
    try:
        runs = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotStoredRuns(f"{file} cannot be read ({error.strerror})") from None
    except ValueError:
        raise NotStoredRuns(f"{file} is not complete JSON") from None
    if not isinstance(runs, dict) or runs.get("format") != FORMAT:
        raise NotStoredRuns(f"{file} is not a file of stored runs; rung compare --out and rung experiment write such files")
    try:
        check(runs)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise NotStoredRuns(f"{file} is damaged: {type(error).__name__} {error}; measure again") from None
    runs["parts"] = [part for part in runs["parts"] if any(point["results"] for point in part["points"])]
    if not runs["parts"]:
        raise NotStoredRuns(f"{file} has no results yet; let the experiment run longer")
    return runs


def check(runs):
    """Touches everything that the pictures and the report use."""
    for key in ("name", "simd", "memory_bytes", "caches", "governor", "system", "compiler", "version", "commit"):
        runs["machine"][key]
    for key in ("title", "question", "command", "date", "other_load"):
        runs[key]
    for part in runs["parts"]:
        part["name"] + part["measure"] + part["workload"]
        names = [variant["name"] + variant["model"] for variant in part["variants"]]
        for point in part["points"]:
            for result in point["results"]:
                result["variant"]
                keys = ("ppl", "bytes", "bytes_of") if part["measure"] == "quality" else ("seconds", "tok_s", "ratio")
                for key in keys:
                    result[key]
            if point["results"] and len(point["results"]) != len(names):
                raise KeyError("a result of each variant")


def limit_word(name):
    return LIMIT_WORDS.get(name, name)


def machine_line(runs):
    """The machine, the date and the command, for the caption of a picture."""
    machine = runs["machine"]
    version = f"rung {machine['version']}" + (f" {machine['commit']}" if machine["commit"] else "")
    threads = sorted({part["settings"]["threads"] for part in runs["parts"] if "threads" in part.get("settings", {})})
    return ", ".join([machine["name"], machine["simd"], *(f"{count} threads" for count in threads), version,
                      runs["date"][:10], runs["command"]])


def load_warning(runs):
    """A sentence if other programs disturbed the runs, else an empty text."""
    if runs["other_load"] < DISTURBING_LOAD:
        return ""
    return (f"Other programs used {runs['other_load']:.1f} processors during these runs, so the figures are not those of a "
            "quiet machine.")


def rate_text(size):
    return "all at once" if size == 0 else f"{size:g} requests/s"


def size_text(part, size):
    """A size with its unit: "512 tokens of prompt", "4 sequences at once"."""
    if part["measure"] == "serving":
        return rate_text(size)
    words = {"prefill": "prompt tokens", "decode": "sequences at once", "context": "tokens of context"}
    if part["workload"] == "decode" and size == 1:
        return "1 sequence"
    return f"{size:g} {words.get(part['workload'], part.get('size', ''))}"
