#!/usr/bin/env python3
"""Checks how stored runs are read, drawn and reported.

usage: stored_runs_test.py SCRATCH_FOLDER

What draws needs matplotlib, and is skipped with a message where it is not installed.
"""

import copy
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as Xml
from html.parser import HTMLParser
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
sys.path.insert(0, str(TOOLS.parent))
from lessons.report_words import ratio_text, reading_of, table_of, warnings_of  # noqa: E402
from lessons.stored_runs import NotStoredRuns, read_runs  # noqa: E402

MACHINE = {"name": "AMD <EPYC> & Co, 2 processors", "simd": "avx2", "memory_bytes": 25 * 2**30, "caches": {"L1d": 32768},
           "governor": "unknown", "system": "Linux 6.1", "compiler": "GCC 12", "version": "0.1.0", "commit": "0123456789"}


def variants(names):
    return [{"name": name, "options": {"attention": name}, "model": "tiny", "rungs": {}, "weights_bytes": 11, "kv_bytes_per_token": 8}
            for name in names]


def speed(names, sizes, workload="prefill", rounds=10):
    points = []
    for size in sizes:
        results = []
        for i, name in enumerate(names):
            seconds = size * 1e-4 / (i + 1)
            results.append({"variant": name, "seconds": seconds, "seconds_min": 0.9 * seconds, "seconds_max": 1.3 * seconds,
                            "tok_s": size / seconds, "limit": "fma_rate", "share": 0.1 * (i + 1), "ratio": 1.0 + i,
                            "ratio_low": 0.95 + 0.9 * i, "ratio_high": 1.1 + 1.1 * i})
        points.append({"size": size, "rounds": [{"seconds": [0.1] * len(names), "other_load": 0}] * rounds, "results": results})
    return {"name": workload, "measure": "speed", "workload": workload, "size": "prompt, tokens", "settings": {"threads": "2"},
            "confidence": 0.95, "interval": "trimmed", "variants": variants(names), "points": points}


def scaled(value, factor):
    if isinstance(value, dict):
        return {key: scaled(inner, factor) for key, inner in value.items()}
    return value * factor if isinstance(value, float) else value


def serving(names, rates):
    part = speed(names, [max(rate, 1) for rate in rates], "chat")
    part.update(measure="serving", size="requests per second", targets={"ttft_s": 0.2})
    for rate, point in zip(rates, part["points"]):
        point["size"] = rate
        for i, result in enumerate(point["results"]):
            for key in ("ttft_s", "itl_s", "e2e_s"):
                result[key] = {"p50": 0.01 * (i + 1), "p90": 0.02 * (i + 1), "p99": 0.3 * (i + 1)}
            result.update(request_s=rate or 9, goodput_request_s=0.8 * (rate or 9), hit_rate=0, preemptions=0)
        # The figures of the rounds, a tenth more in each.
        point["rounds"] = [{**one, "figures": [{key: scaled(value, 1 + r / 10) for key, value in result.items()}
                                               for result in point["results"]]} for r, one in enumerate(point["rounds"])]
    return part


def quality(names):
    results = [{"variant": name, "ppl": 4.0 + i, "ppl_error": None if i else 0.1, "kl": [0.0, 0.01, None][i % 3], "kl_error": None,
                "same_top": 0.9, "bits_per_byte": None, "tokens": 100, "bytes": 1000 >> i, "bytes_of": "weights"}
               for i, name in enumerate(names)]
    return {"name": "quality", "measure": "quality", "workload": "text.txt", "settings": {}, "reference": "tiny --exact",
            "variants": variants(names), "points": [{"size": 0, "rounds": [], "results": results}]}


def runs(*parts, load=0.01, title="A <title> & more", question="Which\nis faster?"):
    return {"format": "rung runs 1", "title": title, "question": question, "command": "rung compare --x '<a>'", "experiment": "",
            "date": "2026-12-01T10:00:00Z", "machine": MACHINE, "other_load": load, "parts": list(parts)}


LONG = "a very long name of a variant, with <angles> & ampersands, grün"
FILES = {
    "sizes": runs(speed(["naive", "flash <x>", LONG], [32, 128, 512])),
    "one": runs(speed(["naive", "flash"], [64]), load=1.2, title="", question=""),
    "nine": runs(speed([f"v{i}" for i in range(9)], [1, 2])),
    "rates": runs(serving(["fifo", "fair"], [2, 4, 8])),
    "burst": runs(serving(["fifo", "fair"], [0])),
    "mixed": runs(serving(["fifo", "fair"], [0, 3]), serving(["fifo", "fair"], [0])),
    "quality": runs(quality(["f16", "q8_0", "q4_0"])),
    "all": runs(speed(["a", "b"], [1, 2], "decode"), speed(["a", "b"], [4], "prefill"), serving(["a", "b"], [0]), quality(["a", "b"])),
}


def refused(file, words):
    try:
        read_runs(file)
    except NotStoredRuns as error:
        assert file.name in str(error) and words in str(error), error
        return
    raise AssertionError(f"{file} was read")


def check_reading(folder):
    for name, content in FILES.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
        assert read_runs(folder / f"{name}.json")["title"] == content["title"]
    broken = folder / "broken"
    broken.mkdir()
    refused(broken, "but a folder")
    refused(broken / "gone.json", "cannot be read")
    for name, text, words in (("cut", json.dumps(FILES["sizes"])[:500], "not complete JSON"), ("list", "[]", "not a file of stored runs"),
                              ("other", '{"format": "x"}', "not a file of stored runs"), ("bytes", "\x00", "not complete JSON"),
                              ("deep", "[" * 100_000, "not complete JSON"),
                              ("newer", '{"format": "rung runs 2"}', "written by another version")):
        (broken / f"{name}.json").write_text(text)
        refused(broken / f"{name}.json", words)
    for name, spoil, words in (("machine", lambda r: r["machine"].pop("simd"), "is damaged"),
                               ("result", lambda r: r["parts"][0]["points"][0]["results"][0].pop("seconds"), "is damaged"),
                               ("fewer", lambda r: r["parts"][0]["points"][0]["results"].pop(), "is damaged"),
                               ("text", lambda r: r.update(title=None), "title has a value"),
                               ("load", lambda r: r.update(other_load="much"), "other_load has a value"),
                               ("caches", lambda r: r["machine"].update(caches=[1]), "machine.caches has a value"),
                               ("measure", lambda r: r["parts"][0].update(measure="taste"), "parts[0].measure has a value"),
                               ("variants", lambda r: r["parts"][0].update(variants=r["parts"][0]["variants"] * 40), "are possible"),
                               ("options", lambda r: r["parts"][0]["variants"][0].pop("options"), "variants[0].options is missing"),
                               ("nan", lambda r: r["parts"][0]["points"][1]["results"][0].update(seconds=float("nan")),
                                "points[1].results[0].seconds has a value"),
                               ("size", lambda r: r["parts"][0]["points"][0].update(size="8"), "points[0].size has a value"),
                               ("empty", lambda r: [p["results"].clear() for p in r["parts"][0]["points"]], "has no results yet")):
        content = copy.deepcopy(FILES["sizes"])
        spoil(content)
        (broken / f"{name}.json").write_text(json.dumps(content))
        refused(broken / f"{name}.json", words)


def check_words():
    part = speed(["naive", "flash"], [64])
    result = part["points"][0]["results"][1]
    assert ratio_text(result, 1) == "2 (1.85 to 2.2)" and ratio_text(result, 0) == "1"
    assert reading_of(part) == ["flash is faster than naive at 64 prompt tokens: 2 times as fast, 95% interval 1.85 to 2.2."]
    result.update(ratio=1.01, ratio_low=0.98, ratio_high=1.04)
    assert "show no difference" in reading_of(part)[0]
    result.update(ratio=0.5, ratio_low=0.4, ratio_high=0.6)
    assert "flash is slower than naive" in reading_of(part)[0]
    result.update(ratio_low=0, ratio_high=None)
    assert "says nothing" in reading_of(part)[0] and "no interval" in ratio_text(result, 1)
    heads, rows, texts = table_of(speed(["naive", "flash"], [64, 128]))
    assert heads[0] == "prompt, tokens" and len(rows) == 4 and rows[1][0] == "" and rows[2][0] == "128" and texts == 2
    assert "10% of float32 FMA" in rows[0]
    assert [row[3] for row in table_of(quality(["a", "b", "c"]))[1]] == ["0.000000", "0.010000", "not comparable"]
    warnings = warnings_of(runs(speed(["a", "b"], [1], rounds=3), load=1.2))
    assert "1.2 processors" in warnings[0] and "only 3 rounds" in warnings[1] and len(warnings) == 2, warnings
    wide = speed(["a", "b"], [1])
    wide["points"][0]["results"][1]["ratio_high"] = 2.5
    assert ["is wide" in warning for warning in warnings_of(runs(wide))] == [True]


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.outside = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and value and not value.startswith("#"):
                self.outside.append((tag, value))


def command(script, *arguments, **environment):
    return subprocess.run([sys.executable, "-B", TOOLS / script, *map(str, arguments)], capture_output=True, text=True, check=False,
                          env={**os.environ, "RUNG_NO_INSTALL": "1", **environment})


def check_pictures(folder):
    for name, content in FILES.items():
        done = command("draw_runs.py", folder / f"{name}.json", "--out", folder / name)
        assert done.returncode == 0, done.stderr
        svg = (folder / f"{name}.svg").read_text()
        texts = " ".join("".join(element.itertext()) for element in Xml.fromstring(svg).iter() if element.tag.endswith("text"))
        for part in content["parts"]:
            for variant in part["variants"]:
                assert variant["name"].split()[0] in texts, (name, variant["name"])
        assert MACHINE["name"].split(",")[0] in texts and "prefers-color-scheme: dark" in svg
        assert ("1.2 processors" in texts) == (name == "one")
        assert (folder / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    done = command("draw_runs.py", folder / "sizes.json", folder / "nine.json", "--out", folder / "together")
    assert done.returncode == 0, done.stderr
    assert "flash" in (folder / "together.svg").read_text() and "v8" in (folder / "together.svg").read_text()
    # Names that matplotlib would read as mathematics or leave out of the legend; two files of the same name.
    odd = copy.deepcopy(FILES["sizes"])
    for variant, name in zip(odd["parts"][0]["variants"], ["price $x^{ of $y", "_hidden"]):
        variant["name"] = name
    for day in ("monday", "tuesday"):
        (folder / day).mkdir()
        (folder / day / "odd.json").write_text(json.dumps(odd))
    done = command("draw_runs.py", folder / "monday" / "odd.json", folder / "tuesday" / "odd.json", "--out", folder / "odd")
    assert done.returncode == 0 and not done.stderr, done.stderr
    svg = (folder / "odd.svg").read_text()
    for words in ("monday/odd, price $x^{ of $y", "tuesday/odd, _hidden"):
        assert words in svg, words
    done = command("draw_runs.py", folder / "monday" / "odd.json", "--out", folder / "hidden")
    assert "_hidden" in (folder / "hidden.svg").read_text(), done
    done = command("draw_runs.py", folder / "broken" / "cut.json", "--out", folder / "x")
    assert done.returncode == 1 and done.stderr.startswith("rung: ") and len(done.stderr.splitlines()) == 1, done.stderr


def check_report(folder):
    reports = folder / "reports"
    reports.mkdir()
    done = command("report.py", reports, "--no-pdf")
    assert done.returncode == 1 and "no file of stored runs" in done.stderr, done
    for name in ("sizes", "all", "one"):
        shutil.copy(folder / f"{name}.json", reports)
    (reports / "notes.json").write_text("{}")
    (folder / "text.txt").write_text("First <b>.\n\nSecond.")
    done = command("report.py", reports, "--no-pdf", "--author", "A <B>", "--discussion", folder / "text.txt")
    assert done.returncode == 0 and "left out" in done.stderr, done.stderr
    text = (reports / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert "script" not in page.tags and not page.outside, page.outside
    assert page.tags.count("svg") == 3
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), "an id occurs twice"
    for words in ("A &lt;B&gt;", "First &lt;b&gt;.", "flash &lt;x&gt;", "AMD &lt;EPYC&gt; &amp; Co", "GCC 12", "0123456789",
                  "rung compare --x &#x27;&lt;a&gt;&#x27;", "Which is faster?"):
        assert words in text, words
    assert "<EPYC>" not in text
    # Nothing that was read is written over.
    for out, words in ((reports / "sizes.json", "is read for this report"), (folder / "text.txt", "is read for this report"),
                       (reports / "x.pdf", "the name of its PDF"), (reports, "the name of a file"),
                       (reports / "no" / "x.html", "the name of a file")):
        before = {file: file.read_bytes() for file in (reports / "sizes.json", folder / "text.txt")}
        done = command("report.py", reports, "--no-pdf", "--discussion", folder / "text.txt", "--out", out)
        assert done.returncode == 1 and words in done.stderr, (out, done)
        assert before == {file: file.read_bytes() for file in before}
    done = command("report.py", folder / "nowhere", "--no-pdf")
    assert done.returncode == 1 and "there is no folder" in done.stderr, done
    done = command("report.py", reports, "--no-pdf", "--discussion", reports)
    assert done.returncode == 1 and "text file in UTF-8" in done.stderr, done


def check_requirements(folder):
    program = "import sys; sys.path.insert(0, sys.argv[1])\nfrom lessons.requirements import need\nneed('no_such_module_1', 'drawing')"
    done = subprocess.run([sys.executable, "-B", "-c", program, TOOLS.parent], capture_output=True, text=True, check=False,
                          env={**os.environ, "RUNG_NO_INSTALL": "1", "XDG_CACHE_HOME": str(folder / "cache")})
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("rung: drawing needs the Python library no_such_module_1, and RUNG_NO_INSTALL is set"), done.stderr
    assert not (folder / "cache").exists()


def main():
    folder = Path(sys.argv[1]) / "stored_runs_test"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    check_reading(folder)
    check_words()
    check_requirements(folder)
    if importlib.util.find_spec("matplotlib") is None:
        print("matplotlib is not installed: pictures and reports are not tested")
        return
    check_pictures(folder)
    check_report(folder)
    print(f"{len(FILES)} kinds of stored runs are read, drawn and reported")


if __name__ == "__main__":
    main()
