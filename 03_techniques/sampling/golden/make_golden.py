"""Writes filters.json: distributions after Hugging Face's logits processors and warpers, for test.cpp.

    python make_golden.py        (needs torch and transformers; the versions used stand in the file)

Each case is a row of logits, parameters, and the probability of every token that is left. The processors run
in the order of the seam (and of transformers' generate): repetition penalty, temperature, top-k, top-p, min-p,
typical. Logits have no equal values: on equal logits top-k differs on purpose (we keep exactly k).
"""

import json
import pathlib

import torch
import transformers
from transformers.generation import logits_process as hf

VOCAB = 64


def case(name, generator, spread=2.0, prompt=(), **params):
    while True:  # three decimals are the same float32 in both programs; drawn again when two are equal
        logits = torch.round(spread * torch.randn(1, VOCAB, generator=generator), decimals=3)
        logits = torch.tensor([[round(float(x), 3) for x in logits[0]]], dtype=torch.float32)
        if len(set(logits[0].tolist())) == VOCAB:
            break
    steps = []
    if "repetition_penalty" in params:
        steps.append(hf.RepetitionPenaltyLogitsProcessor(params["repetition_penalty"]))
    if "temperature" in params:
        steps.append(hf.TemperatureLogitsWarper(params["temperature"]))
    if "top_k" in params:
        steps.append(hf.TopKLogitsWarper(params["top_k"]))
    if "top_p" in params:
        steps.append(hf.TopPLogitsWarper(params["top_p"]))
    if "min_p" in params:
        steps.append(hf.MinPLogitsWarper(params["min_p"]))
    if "typical_p" in params:
        steps.append(hf.TypicalLogitsWarper(params["typical_p"]))
    ids = torch.tensor([list(prompt)], dtype=torch.long)
    scores = logits.clone()
    for step in steps:
        scores = step(ids, scores)
    p = torch.softmax(scores.double(), dim=-1)[0]
    kept = {str(i): float(f"{p[i]:.9g}") for i in range(VOCAB) if p[i] > 0}
    return {
        "name": name,
        "logits": [round(float(x), 3) for x in logits[0]],
        "prompt": list(prompt),
        "params": params,
        "kept": kept,
    }


def main():
    g = torch.Generator().manual_seed(20)
    prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5, 35, 8, 9, 7, 9]
    cases = [case("softmax", g)]
    cases += [case(f"temperature {t}", g, temperature=t) for t in (0.3, 0.8, 2.5)]
    cases += [case(f"top-k {k}", g, top_k=k) for k in (1, 7, 63, 200)]
    cases += [case(f"top-p {p}", g, spread=s, top_p=p) for p in (0.01, 0.3, 0.5, 0.9, 0.99) for s in (0.5, 3.0)]
    cases += [case(f"min-p {p}", g, spread=s, min_p=p) for p in (0.01, 0.1, 0.5, 0.9) for s in (0.5, 3.0)]
    cases += [case(f"typical {p}", g, spread=s, typical_p=p) for p in (0.05, 0.2, 0.5, 0.9, 0.99) for s in (0.5, 3.0)]
    cases += [case(f"repetition {r}", g, prompt=prompt, repetition_penalty=r) for r in (0.7, 1.2, 2.0)]
    cases += [case("top-k, top-p", g, spread=1.0, top_k=20, top_p=0.8)]
    cases += [case("top-p, min-p", g, spread=1.0, top_p=0.9, min_p=0.2)]
    cases += [case("top-k, typical", g, spread=1.0, top_k=30, typical_p=0.6)]
    for i in range(20):
        cases.append(case(f"all steps, {i}", g, spread=1.0 + 0.1 * i, prompt=prompt, repetition_penalty=1.15,
                          temperature=0.7 + 0.05 * i, top_k=50 - i, top_p=0.95, min_p=0.02, typical_p=0.9))
    head = {"torch": torch.__version__, "transformers": transformers.__version__}
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    text = f'{{"made_with": {json.dumps(head)},\n"cases": [\n{lines}\n]}}\n'
    path = pathlib.Path(__file__).with_name("filters.json")
    path.write_text(text)
    print(f"{path.name}: {len(cases)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
