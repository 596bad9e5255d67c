"""Reads the files that `rung compare --out` and `rung experiment` write, and has the words for what is in them."""

import json
import math
from pathlib import Path

FORMAT = "rung runs 1"
MOST_VARIANTS = 64  # of a part; the same number as in common/cli/variant_options.hpp
DISTURBING_LOAD = 0.2  # processors; common/core/other_load.hpp has the same number
LIMIT_WORDS = {"read_bandwidth": "read bandwidth", "fma_rate": "float32 FMA", "int8_rate": "int8", "bf16_rate": "bf16",
               "int8_tile_rate": "int8 tiles", "bf16_tile_rate": "bf16 tiles"}


class NotStoredRuns(Exception):
    """The file has something else. The message is a sentence that names the file."""


def read_runs(file):
    """Returns the content of a file of stored runs. Throws NotStoredRuns."""
    file = Path(file)
    if file.exists() and not file.is_file():
        raise NotStoredRuns(f"{file} is not a file of stored runs, but a folder or a device")
    try:
        runs = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotStoredRuns(f"{file} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise NotStoredRuns(f"{file} is not complete JSON") from None
    form = runs.get("format") if isinstance(runs, dict) else None
    if isinstance(form, str) and form != FORMAT and form.startswith("rung runs "):
        raise NotStoredRuns(f'{file} was written by another version of rung ("{form}", and this one reads "{FORMAT}"); measure again')
    if form != FORMAT:
        raise NotStoredRuns(f"{file} is not a file of stored runs; rung compare --out and rung experiment write such files")
    try:
        check(runs)
    except Damaged as error:
        raise NotStoredRuns(f"{file} is damaged: {error}; measure again") from None
    runs["parts"] = [part for part in runs["parts"] if any(point["results"] for point in part["points"])]
    if not runs["parts"]:
        raise NotStoredRuns(f"{file} has no results yet; let the experiment run longer")
    return runs


class Damaged(Exception):
    """A field is missing or has another type. The message says which one."""


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def maybe_number(value):
    return value is None or number(value)


def text(value):
    return isinstance(value, str)


def texts(value):
    return isinstance(value, dict) and all(map(text, value.values()))


def numbers(value):
    return isinstance(value, dict) and all(map(number, value.values()))


def rows(value):
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def need_fields(value, where, **kinds):
    """Each keyword names a field and the function that its value must satisfy."""
    for name, right in kinds.items():
        if name not in value:
            raise Damaged(f"{where}{name} is missing")
        if not right(value[name]):
            raise Damaged(f"{where}{name} has a value that rung never writes")


def check(runs):
    """Throws Damaged if a field that the pictures or the report use is missing or has another type."""
    need_fields(runs, "", title=text, question=text, command=text, date=text, other_load=number, parts=rows,
                machine=lambda value: isinstance(value, dict))
    need_fields(runs["machine"], "machine.", name=text, simd=text, governor=text, system=text, compiler=text, version=text,
                commit=text, memory_bytes=number, caches=numbers)
    if not text(runs.get("experiment", "")):
        raise Damaged("experiment has a value that rung never writes")
    for i, part in enumerate(runs["parts"]):
        check_part(part, f"parts[{i}].")


def check_part(part, where):
    need_fields(part, where, name=text, workload=text, variants=rows, points=rows, settings=texts,
                measure=lambda value: value in ("speed", "serving", "quality"))
    timed = part["measure"] != "quality"
    if timed:
        need_fields(part, where, size=text, confidence=number, interval=text)
    else:
        need_fields(part, where, reference=text)
    if not 1 <= len(part["variants"]) <= MOST_VARIANTS:
        raise Damaged(f"{where}variants has {len(part['variants'])} entries, and from 1 to {MOST_VARIANTS} are possible")
    if not numbers(part.get("targets", {})):
        raise Damaged(f"{where}targets has a value that rung never writes")
    for i, variant in enumerate(part["variants"]):
        need_fields(variant, f"{where}variants[{i}].", name=text, model=text, options=texts, rungs=texts, weights_bytes=number,
                    kv_bytes_per_token=number)
    for i, point in enumerate(part["points"]):
        here = f"{where}points[{i}]."
        need_fields(point, here, rounds=rows, results=rows)
        if timed:
            need_fields(point, here, size=number)
        if point["results"] and len(point["results"]) != len(part["variants"]):
            raise Damaged(f"{here}results has {len(point['results'])} entries for {len(part['variants'])} variants")
        for j, result in enumerate(point["results"]):
            check_result(result, part["measure"], f"{here}results[{j}].")
        for j, one in enumerate(point["rounds"]):
            if "figures" in one and (not rows(one["figures"]) or len(one["figures"]) != len(part["variants"])):
                raise Damaged(f"{here}rounds[{j}].figures has a value that rung never writes")


def check_result(result, measure, where):
    need_fields(result, where, variant=text)
    if measure == "quality":
        need_fields(result, where, ppl=number, ppl_error=maybe_number, kl=maybe_number, kl_error=maybe_number, bytes=number,
                    bytes_of=text)
        return
    need_fields(result, where, seconds=number, seconds_min=number, seconds_max=number, tok_s=number, ratio=number,
                ratio_low=maybe_number, ratio_high=maybe_number)
    if measure == "serving":
        need_fields(result, where, ttft_s=numbers, itl_s=numbers, e2e_s=numbers, request_s=number, goodput_request_s=number)


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
