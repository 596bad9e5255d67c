"""The teacher's own text, for distillation: it goes on from places in the training text, always with the likeliest token.

    python generate.py --work WORK [--tokens 4000000]

WORK/own.bin receives pieces of 192 uint16 ids: <|endoftext|>, 31 to 127 tokens of training text, and what tiny writes
after them. Short pieces, because greedy text soon runs in circles and teaches nothing new there. Stopping and starting again
goes on; each batch has its own seed, so the file is the same.
"""
import argparse
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from data import Windows
from train import has_bfloat16

MIXTURE = {"simple": 0.10, "tales": 0.60, "novels": 0.20, "dialogues": 0.10}
PIECE, BATCH = 192, 128


@torch.no_grad()
def write_pieces(model, windows: Windows) -> np.ndarray:
    """-> [BATCH, PIECE] ids"""
    given = int(windows.rng.choice([32, 64, 96, 128]))
    text = windows.draw(MIXTURE, BATCH, given - 1)  # [BATCH, given]
    text[:, 1:] = torch.where(text[:, :1] == 0, text[:, 1:], text[:, :-1])  # make room for an id 0 where there is none
    text[:, 0] = 0
    out = model.generate(text, attention_mask=torch.ones_like(text), do_sample=False, max_new_tokens=PIECE - given)
    return out.numpy().astype(np.uint16)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--work", type=Path, required=True)
    args.add_argument("--model", type=Path, help="folder of the teacher; else WORK/export/tiny")
    args.add_argument("--tokens", type=int, default=4_000_000)
    args.add_argument("--threads", type=int, default=2)
    a = args.parse_args()
    torch.set_num_threads(a.threads)
    path, size = a.work / "own.bin", BATCH * PIECE * 2  # bytes of a batch
    done = path.stat().st_size // size if path.exists() else 0
    batches = max(1, a.tokens // (BATCH * PIECE))
    if done >= batches:
        print(f"{path}: is complete")
        return
    dtype = torch.bfloat16 if has_bfloat16("cpu") else torch.float32
    model = AutoModelForCausalLM.from_pretrained(a.model or a.work / "export" / "tiny", dtype=dtype).eval()
    model.generation_config.eos_token_id = None  # a piece does not stop where a story does
    model.generation_config.pad_token_id = 0
    windows = Windows(a.work, PIECE, seed=0)
    with open(path, "ab") as f:
        f.truncate(done * size)  # the batch that was being written
        for i in range(done, batches):
            windows.rng = np.random.default_rng(1000 + i)
            write_pieces(model, windows).tofile(f)
            f.flush()
            print(f"{(i + 1) * BATCH * PIECE:,} of {batches * BATCH * PIECE:,} tokens", flush=True)


if __name__ == "__main__":
    main()
