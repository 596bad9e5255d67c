"""The data card: card.txt with the figures that train_all.py measured. A figure that is missing is an error.

    python card.py --work WORK --hardware "2 cores of ..." --shipped ../tiny ../tiny.gguf ... > ../README.md
"""
import argparse
import json
import re
import sys
from pathlib import Path

from model import Config, Model

HERE = Path(__file__).parent
MOST_BYTES = 48_000_000
NAMES = ["tiny", "draft", "tiny-mha", "moe"]


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(c) for c in row) + " |" for row in lines)


def quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


class Card:
    def __init__(self, a: argparse.Namespace):
        self.a, self.meta = a, read(a.work / "meta.json")
        self.configs = {n: read(HERE / "configs" / f"{n}.json") for n in NAMES}
        self.shapes = {n: Config(**c["model"]) for n, c in self.configs.items()}
        self.results = {n: read(a.work / "results" / f"{n}.json") for n in NAMES}
        self.losses = {n: read(a.work / n / "loss.json") for n in NAMES}
        self.sizes = {n: sum(p.numel() for p in Model(c).parameters()) for n, c in self.shapes.items()}

    def models(self) -> str:
        return table(["model", "parameters", "multiply-adds per token", "tokens seen", "bits per byte of held-out text"],
                     [[n, f"{self.sizes[n]:,}", f"{self.shapes[n].multiply_adds():,}",
                       f"{self.losses[n]['tokens'] / 1e6:.1f} M", f"{self.results[n]['bits_per_byte']:.4f}"]
                      for n in NAMES])

    def files(self) -> str:
        rows, total = [], 0
        for path in self.a.shipped:
            size = sum(p.stat().st_size for p in (path.iterdir() if path.is_dir() else [path]))
            rows.append([f"`{path.name}{'/' if path.is_dir() else ''}`", f"{size:,}"])
            total += size
        if total > MOST_BYTES:
            sys.exit(f"the models take {total:,} bytes; at most {MOST_BYTES:,} are committed")
        rows.append(["together", f"{total:,}"])
        return table(["file", "bytes"], rows)

    def shape(self) -> str:
        return table(["", *NAMES], [
            ["layers, width"] + [f"{c.layers}, {c.dim}" for c in self.shapes.values()],
            ["feed-forward width"] + [f"{c.experts} x {c.ffn}" if c.experts else c.ffn for c in self.shapes.values()],
            ["heads, KV heads, width of a head"] + [f"{c.heads}, {c.kv_heads}, {c.head_dim}" for c in self.shapes.values()],
            ["context"] + [f"{c.context:,}" for c in self.shapes.values()],
            ["numbers in the KV cache per token"] + [f"{2 * c.layers * c.kv_heads * c.head_dim:,}" for c in self.shapes.values()]])

    def dialogues(self) -> str:
        return f"{self.meta['groups']['dialogues']['documents']:,}"

    def text(self) -> str:
        phases = self.configs["tiny"]["phases"]
        return table(["group", "documents", "bytes", "tokens", *(f"share in phase {i + 1} of `tiny`" for i in range(len(phases)))],
                     [[n, f"{g['documents']:,}", f"{g['bytes']:,}", f"{g['tokens']:,}",
                       *(f"{100 * p['mixture'].get(n, 0):.0f}%" for p in phases)] for n, g in self.meta["groups"].items()])

    def training(self) -> str:
        def phase(p: dict, scale: float) -> str:
            return f"{p['tokens'] * scale / 1e6:.3g} M tokens in {p['batch']} windows of {p['window']:,}"
        return table(["model", "phases", "learning rates (Muon, AdamW)", "matrix products", "steps", "wall-clock time",
                      "tokens/s"],
                     [[n, "; ".join(phase(p, x["scale"]) for p in c["phases"]), f"{c['muon_lr']:g}, {c['adam_lr']:g}",
                       x["precision"], f"{x['steps']:,}", f"{x['seconds'] / 60:.0f} min",
                       f"{x['tokens'] / x['seconds']:,.0f}"]
                      for n, c, x in ((n, self.configs[n], self.losses[n]) for n in NAMES)])

    def quality(self) -> str:
        rows = [[n, f"{r['nats_per_token']:.4f}", f"{r['perplexity']:.2f}", f"{r['bits_per_byte']:.4f}"]
                for n, r in self.results.items()]
        ngram = read(self.a.work / "results" / "ngram.json")
        best = ngram["orders"][str(ngram["best"])]
        rows.append([f"{ngram['best']}-gram", f"{best['nats_per_token']:.4f}", f"{best['perplexity']:.2f}",
                     f"{best['bits_per_byte']:.4f}"])
        worse = [n for n, r in self.results.items() if r["bits_per_byte"] >= best["bits_per_byte"]]
        text = table(["model", "nats per token", "perplexity per token", "bits per byte"], rows)
        if worse:
            saw = ", ".join(f"`{n}` {self.losses[n]['tokens'] / 1e6:.1f}" for n in worse)
            text += (f"\n\nThe n-gram model is better than {' and '.join(f'`{n}`' for n in worse)}. It counted {ngram['train_tokens'] / 1e6:.1f} million "
                     f"tokens, and the models were trained on fewer (in million tokens: {saw}).")
        return text

    def acceptance(self) -> str:
        r = read(self.a.work / "results" / "acceptance.json")
        first, along = r["next_four"], r["along"]
        head = ["accepted tokens of four", "0", "1", "2", "3", "4", "mean share"]
        return (f"`acceptance.py` measured this with {r['prompts']} prompts of 64 tokens from `valid.txt`. Both models decode greedily.\n\n" +
                table(head, [["the first four tokens after the prompt", *first["histogram"], f"{first['mean_share']:.3f}"],
                             ["all steps along 64 tokens", *along["histogram"], f"{along['mean_share']:.3f}"]]) +
                f"\n\nThe most probable token of `draft` is also that of `tiny` at {100 * r['agreement_next_four']:.1f}% of the first four "
                f"positions of `tiny`'s text, and at {100 * r['agreement']:.1f}% of the first 64.")

    def load(self) -> str:
        rows = self.results["moe"]["expert_load"]
        return table(["layer", *(f"expert {e}" for e in range(len(rows[0])))],
                     [[i, *(f"{x:.3f}" for x in row)] for i, row in enumerate(rows)])

    def samples(self) -> str:
        out = []
        for s in self.results["tiny"]["samples"]:
            if "chat" in s:
                who = {"user": "User", "assistant": "tiny"}
                text = "\n\n".join(f"**{who[m['role']]}:** {m['content']}" for m in s["chat"])
                out.append(f"`tiny` in conversation, seed {s['seed']}:\n\n{quote(text)}")
            else:
                out.append(f"`tiny`, seed {s['seed']}:\n\n{quote(s['text'])}")
        for name in NAMES[1:]:
            s = self.results[name]["samples"][0]
            out.append(f"`{name}`, seed {s['seed']}:\n\n{quote(s['text'])}")
        return "\n\n".join(out)

    def scales(self) -> str:
        scales = {x["scale"] for x in self.losses.values()}
        if len(scales) > 1:
            sys.exit(f"the models were trained at several scales: {sorted(scales)}; train_all.py makes them at one")
        return f"--scale {scales.pop():g}"

    def hardware(self) -> str:
        return self.a.hardware


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--hardware", required=True)
    args.add_argument("--shipped", type=Path, nargs="+", required=True, help="the files and folders in the repository")
    a = args.parse_args()
    card = Card(a)
    text = (HERE / "card.txt").read_text(encoding="utf-8")
    sys.stdout.write(re.sub(r"@(\w+)@", lambda m: getattr(card, m[1])(), text))


if __name__ == "__main__":
    main()
