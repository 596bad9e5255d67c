"""Writes attention.txt: inputs and the answers of PyTorch's scaled_dot_product_attention in float64.

    python make_golden.py > attention.txt        (PyTorch 2.5 or later, for enable_gqa)

Our own rungs agree with our own oracle; this file is the word of somebody else. Per case:
    case NAME heads kv_heads head_dim sequences
    sequence queries context
    q|k|v|out, then queries * heads * head_dim or context * kv_heads * head_dim numbers, token-major
Inputs are multiples of 1/16, so that they are exact in every format and short in the file.
"""

import torch
from torch.nn.functional import scaled_dot_product_attention

CASES = [
    ("prompt", 4, 4, 8, [(6, 6)]),
    ("grouped heads, chunk and decode", 4, 2, 8, [(3, 7), (1, 5), (4, 4)]),
    ("one KV head", 3, 1, 4, [(1, 1), (2, 9)]),
]


def show(name, numbers):
    print(name, *(f"{x:.10g}" for x in numbers.flatten().tolist()))


def main():
    generator = torch.Generator().manual_seed(7)

    def random(*shape):
        return torch.round(torch.randn(*shape, generator=generator, dtype=torch.float64) * 24) / 16

    for name, heads, kv_heads, head_dim, sequences in CASES:
        print(f"case {name.replace(' ', '_')} {heads} {kv_heads} {head_dim} {len(sequences)}")
        for queries, context in sequences:
            q, k, v = random(queries, heads, head_dim), *random(2, context, kv_heads, head_dim)
            # Row j stands at position context - queries + j: the mask is the lower right of the square.
            mask = torch.ones(context, context, dtype=torch.bool).tril()[context - queries :]
            out = scaled_dot_product_attention(
                q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1), attn_mask=mask, enable_gqa=True
            ).transpose(0, 1)
            print(f"sequence {queries} {context}")
            show("q", q), show("k", k), show("v", v), show("out", out)


if __name__ == "__main__":
    main()
