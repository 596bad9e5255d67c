#!/usr/bin/env python3
"""Measures the quality and the speed of each number format, draws the picture and writes the tables of the lesson.

usage: 03_techniques/quantization/measure.py --quality TEXT --calibration OTHER_TEXT --out FOLDER [--chunks 8]
           [--rung build/bin/rung]
       03_techniques/quantization/measure.py --speed --out FOLDER [--shape tinyllama-1.1b]
       03_techniques/quantization/measure.py --plot --out FOLDER

--quality  `tiny` in every format by every rung of seam `quantizer`: the perplexity on TEXT (one that the model was not
           trained on), and the divergence from and agreement with float32. Runs with the same weights as float32 show
           what the kernels add. --imatrix reads OTHER_TEXT. Writes FOLDER/quality.json
--speed    prefill and decode of `tiny` and of a synthetic model in every format. Writes FOLDER/speed.json
--models   only writes the models that --speed needs (14 GB)
--plot     only draws the picture and writes the tables
--update   is for maintainers: it writes to results/ and to the tables of the lesson, instead of FOLDER/tables.md
Models are written to a temporary folder, or to --scratch, where they stay for the next run. The picture needs
matplotlib.
"""

import concurrent.futures
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from lessons import (  # noqa: E402
    COLORS, MARKERS, UsageError, ask, caption, legend_above, lesson_main, machine, machine_text, pyplot,
    save_picture, save_rows, tidy)

FORMATS = ["f32", "bf16", "f16", "q8_0", "q6_k", "q5_k", "q4_1", "q4_k", "q4_0", "iq4_nl"]
PLAIN = {"f32", "bf16", "f16"}
EXACT = {"q4_0", "iq4_nl", "q6_k"}  # formats with one scale per (sub-)block
RUNGS = ["absmax", "search", "exact", "weighted", "exact, weighted"]


def weight_bits(rung, model):
    """Bits per weight of the matrices."""
    tensors = [t for t in ask(rung, "inspect", model)["tensors"] if len(t["shape"]) > 1]
    weights = sum(t["shape"][0] * t["shape"][1] for t in tensors)
    return 8 * sum(t["bytes"] for t in tensors) / weights


def quality(a, scratch):
    """Runs --jobs programs at a time with one thread each. The figures do not depend on the number of threads."""
    def perplexity(model, *more, chunks=a.chunks):
        return ask(a.rung, "perplexity", "-m", model, "-f", a.quality, "--chunks", chunks, "--threads", 1, "--exact",
                   *more)

    reference, base = scratch / "f32.ref", scratch / "f32.gguf"
    ask(a.rung, "quantize", "tiny", base, "--type", "f32")
    first = perplexity(base, "--save-logits", reference)

    def row(kind, name):
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            model, floats, own = (Path(folder) / n for n in ("model.gguf", "floats.gguf", "own.ref"))
            how = ["--set", f"quantizer={name.split(',')[0]}"] if name else []
            how += ["--imatrix", a.calibration, "--chunks", 10] if "weighted" in name else []
            ask(a.rung, "quantize", base, model, "--type", kind, *how)
            out = perplexity(model, "--kl", reference)
            kl = out["kl"]
            this = {"type": kind, "rung": name, "bits": weight_bits(a.rung, model), "ppl": out["ppl"],
                    "nll": out["nll"], "kl": kl["mean"], "kl_stderr": kl["mean_stderr"], "same_top": kl["same_top"]}
            if name in ("", "search"):
                # The same weights as float32, then what the file's own kernels and the integer kernels add.
                ask(a.rung, "quantize", model, floats, "--type", "f32")
                part = max(1, a.chunks // 4)
                in_float = perplexity(floats, "--save-logits", own, chunks=part)
                in_blocks = perplexity(model, "--kl", own, chunks=part)
                this["kernels"] = {"tokens": in_float["tokens"], "floats_ppl": in_float["ppl"], "ppl": in_blocks["ppl"],
                                   "kl": in_blocks["kl"]["mean"]}
                if kind not in PLAIN:
                    integers = perplexity(model, "--linear", "int8", "--kl", own, chunks=part)
                    this["kernels"].update(int8_ppl=integers["ppl"], int8_kl=integers["kl"]["mean"])
            print(f"{kind} {name}: perplexity {out['ppl']:.3f}, KL {kl['mean']:.6f}, "
                  f"same top {100 * kl['same_top']:.2f} %", flush=True)
            return this

    jobs = []
    for kind in [f for f in FORMATS if f != "f32"]:
        names = [""] if kind in PLAIN else [n for n in RUNGS if "exact" not in n or kind in EXACT]
        jobs += [(kind, name) for name in names]
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        rows = list(pool.map(lambda job: row(*job), jobs))
    float32 = {"type": "f32", "rung": "", "bits": 32.0, "ppl": first["ppl"], "nll": first["nll"], "kl": 0.0,
               "same_top": 1.0}
    save_rows(a.out / "quality.json", [float32, *rows], one_line=True, model="tiny", predicted=first["tokens"],
              ctx=first["ctx"])


def speed_models(a, scratch):
    """The file of every shape and format. A file that --scratch already has is used again."""
    for shape in ("tiny", a.shape):
        for kind in FORMATS:
            model = scratch / f"{shape}-{kind}.gguf"
            if not model.exists():
                if shape == "tiny":
                    ask(a.rung, "quantize", "tiny", model, "--type", kind)
                else:
                    ask(a.rung, "synth", model, "--shape", shape, "--type", kind)
            yield shape, kind, model


def speed(a, scratch):
    rows = []
    for shape, kind, model in speed_models(a, scratch):
        prompt, generate = (256, 128) if shape == "tiny" else (32, 8)
        row = {"shape": shape, "type": kind, "bytes": os.path.getsize(model)}
        for linear in ["float32"] if kind in PLAIN else ["float32", "auto"]:
            out = ask(a.rung, "bench", "-m", model, "-p", prompt, "-n", generate, "-b", 1, "-r", 3, "--linear", linear)
            found = {t["test"][:2]: t for t in out}
            row["float" if linear == "float32" else "integer"] = {
                "prefill_tok_s": found["pp"]["tok_s"], "decode_tok_s": found["tg"]["tok_s"],
                "decode_gb_s": found["tg"]["gb_s"], "rung": found["tg"]["rungs"]["linear"]}
        rows.append(row)
        print(json.dumps(row), flush=True)
    save_rows(a.out / "speed.json", rows, one_line=True, machine=machine(a.rung, "quantizer"))


def plot(data, folder):
    plt = pyplot()
    rows = [r for r in data["rows"] if r["rung"]]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 4.6), width_ratios=[1.15, 1])
    kinds = list(dict.fromkeys(r["type"] for r in rows))
    plain = {r["type"]: r["kl"] for r in rows if r["rung"] == "absmax"}
    beside = {"iq4_nl": -0.16, "q4_k": 0.16}  # three formats have 4.5 bits: drawn side by side
    for name, color, marker in zip(RUNGS, COLORS, MARKERS):
        shown = [r for r in rows if r["rung"] == name]
        look = {"color": color, "label": name, "markersize": 6, "markerfacecolor": "none", "markeredgewidth": 1.3,
                "fmt": marker, "elinewidth": 1}
        left.errorbar([r["bits"] + beside.get(r["type"], 0) for r in shown], [r["kl"] for r in shown],
                      [r["kl_stderr"] for r in shown], **look)
        right.errorbar([r["kl"] / plain[r["type"]] for r in shown], [kinds.index(r["type"]) for r in shown],
                       xerr=[r["kl_stderr"] / plain[r["type"]] for r in shown], **look)
    for kind in plain:
        values = [r["kl"] for r in rows if r["type"] == kind]
        at = min(values) if kind == "q4_k" else max(values)
        bits = next(r["bits"] for r in rows if r["type"] == kind) + beside.get(kind, 0)
        place, align = {"q4_0": ((0, 9), "center"), "iq4_nl": ((-9, 0), "right"),
                        "q4_k": ((0, -10), "center")}.get(kind, ((9, 0), "left"))
        left.annotate(kind, (bits, at), place, textcoords="offset points", ha=align, va="center", fontsize=8)
    left.set_yscale("log")
    left.set_xlim(3.5, 9)
    left.set_ylim(4e-5, 4e-2)
    left.set_xlabel("bits per weight")
    left.set_ylabel("KL divergence from float32, nats per token")
    right.set_yticks(range(len(kinds)), kinds)
    right.set_xlim(0.55, 1.05)
    right.set_xlabel("KL divergence relative to absmax of the same format")
    for axis in (left, right):
        tidy(axis)
    handles, labels = left.get_legend_handles_labels()
    legend_above(figure, handles, labels, title="quantizer", alignment="left", side="left", ncols=len(labels))
    caption(figure, f"Model {data['model']}, {data['predicted']:,} predicted tokens, contexts of {data['ctx']} tokens. "
                    "Bars: standard error. iq4_nl and q4_k have 4.5 bits, as q4_0, and are drawn beside it. "
                    "Made by 03_techniques/quantization/measure.py --quality.")
    save_picture(figure, folder / "quality")


def number(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def quality_table(data):
    lines = ["| format | bits per weight | quantizer | perplexity | KL, nats | same top token |",
             "|---|---:|---|---:|---:|---:|"]
    last = None
    for r in data["rows"]:
        first = r["type"] != last
        last = r["type"]
        kl = "0" if r["kl"] < 1e-7 else f"{r['kl']:.2g}" if r["kl"] < 1e-4 else f"{r['kl']:.5f}"
        bits = f"{r['bits']:.4g}" if first else ""
        lines.append(f"| {r['type'] if first else ''} | {bits} | "
                     f"{'`' + r['rung'] + '`' if r['rung'] else ''} | {r['ppl']:.2f} | {kl} | "
                     f"{100 * r['same_top']:.2f} % |")
    return lines


def kernel_table(data):
    lines = ["| format | perplexity | of the same weights as float32 | KL between them | perplexity, integer kernels | "
             "KL, integer kernels |", "|---|---:|---:|---:|---:|---:|"]
    for r in data["rows"]:
        k = r.get("kernels")
        if k is None:
            continue
        integers = f"{k['int8_ppl']:.4f} | {k['int8_kl']:.2g}" if "int8_ppl" in k else "|"
        lines.append(f"| {r['type']} | {k['ppl']:.4f} | {k['floats_ppl']:.4f} | {k['kl']:.1g} | {integers} |")
    return lines


def speed_rows(data, tiny):
    lines = ["| format | file | prefill, tokens/s | decode, tokens/s | decode reads | prefill, integers | "
             "decode, integers |", "|---|---:|---:|---:|---:|---:|---:|"]
    for r in data["rows"]:
        if (r["shape"] == "tiny") != tiny:
            continue
        size = f"{r['bytes'] / 1e6:.1f} MB" if r["bytes"] < 1e8 else f"{r['bytes'] / 1e9:.2f} GB"
        keys = ("prefill_tok_s", "decode_tok_s")
        whole = [number(r["integer"][key]) for key in keys] if "integer" in r else ["", ""]
        lines.append(f"| {r['type']} | {size} | {number(r['float'][keys[0]])} | {number(r['float'][keys[1]])} | "
                     f"{r['float']['decode_gb_s']:.1f} GB/s | {whole[0]} | {whole[1]} |")
    return lines


def speed_tables(data):
    limits = data["machine"]
    return ["**And what does it buy?** `tiny`, which fits into the caches (a prompt of 256 tokens, 128 generated):", "",
            *speed_rows(data, tiny=True), "",
            "and random weights in the shape of TinyLlama 1.1B, which do not (`rung synth`; a prompt of 32 tokens, 8 "
            "generated):", "",
            *speed_rows(data, tiny=False), "",
            "Measured by `measure.py --speed`, medians of three; \"integers\" is `--linear packed,int8`. "
            f"{machine_text(limits)}; its limits: {limits['read_gb_s']:.1f} GB/s read, "
            f"{limits['fma_gflop_s']:.0f} GFLOP/s float32 FMA."]


def measure(a):
    if a.quality and not a.calibration:
        raise UsageError("--quality also needs --calibration TEXT, which --imatrix reads")
    if not (a.quality or a.speed or a.models):
        raise UsageError("say what to measure: --quality TEXT or --speed; or use --plot")
    with tempfile.TemporaryDirectory() as folder:
        scratch = a.scratch or Path(folder)
        if a.quality:
            quality(a, scratch)
        if a.models:
            list(speed_models(a, scratch))
        if a.speed:
            speed(a, scratch)


def report(a):
    measured, timed = a.results.read("quality.json"), a.results.read("speed.json")
    if measured:
        a.results.write_table("measure.py: quality", quality_table(measured))
        a.results.write_table("measure.py: kernels", kernel_table(measured))
    if timed:
        a.results.write_table("measure.py: speed", speed_tables(timed))
    if measured:
        plot(measured, a.out)


def options(parser):
    parser.add_argument("--quality", metavar="TEXT")
    parser.add_argument("--calibration", metavar="TEXT")
    parser.add_argument("--chunks", type=int, default=8, help="windows of 512 tokens")
    parser.add_argument("--jobs", type=int, default=2, help="runs of --quality at a time")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--shape", default="tinyllama-1.1b")
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--scratch", type=Path)


if __name__ == "__main__":
    lesson_main(__doc__, measure, report, options=options)
