"""The models in plain PyTorch: Llama, and Mixtral where the configuration has experts.

RMSNorm, rotary positions (the two halves of a head are the pair), grouped-query attention, SwiGLU, one matrix for
embedding and output, no biases. Parameter names are those of transformers' LlamaForCausalLM and of the MixtralForCausalLM
checkpoints on disk (without "model."). Not an inference engine: no KV cache.
"""
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Config:
    vocab: int = 4096
    dim: int = 256
    layers: int = 6
    heads: int = 8
    kv_heads: int = 2
    head_dim: int = 32
    ffn: int = 768            # of one expert, where there are experts
    context: int = 1024
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5
    experts: int = 0          # 0: a dense feed-forward layer
    experts_per_token: int = 2

    def dict(self) -> dict:
        return asdict(self)

    def multiply_adds(self) -> int:
        """Per token, without attention's scores: every weight of a matrix that the token meets is one."""
        attention = self.dim * self.head_dim * (2 * self.heads + 2 * self.kv_heads)
        ffn = 3 * self.dim * self.ffn
        if self.experts:
            ffn = self.experts_per_token * ffn + self.experts * self.dim
        return self.layers * (attention + ffn) + self.vocab * self.dim


class RMSNorm(nn.Module):
    def __init__(self, dim: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


def rope_tables(c: Config) -> tuple[Tensor, Tensor]:
    freq = c.rope_theta ** (-torch.arange(0, c.head_dim, 2).float() / c.head_dim)  # [head_dim / 2]
    angle = torch.outer(torch.arange(c.context).float(), freq)                    # [context, head_dim / 2]
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [batch, heads, tokens, head_dim]: element i turns with element i + head_dim / 2."""
    a, b = x.float().chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).type_as(x)


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.q_proj = nn.Linear(c.dim, c.heads * c.head_dim, bias=False)
        self.k_proj = nn.Linear(c.dim, c.kv_heads * c.head_dim, bias=False)
        self.v_proj = nn.Linear(c.dim, c.kv_heads * c.head_dim, bias=False)
        self.o_proj = nn.Linear(c.heads * c.head_dim, c.dim, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        c, (batch, tokens, _) = self.c, x.shape
        q = self.q_proj(x).view(batch, tokens, c.heads, c.head_dim).transpose(1, 2)
        k = self.k_proj(x).view(batch, tokens, c.kv_heads, c.head_dim).transpose(1, 2)
        v = self.v_proj(x).view(batch, tokens, c.kv_heads, c.head_dim).transpose(1, 2)
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        k, v = (t.repeat_interleave(c.heads // c.kv_heads, dim=1) for t in (k, v))  # query heads share KV heads
        if x.device.type == "cpu":  # where PyTorch's kernel is faster in float32, up to windows of 512
            with torch.autocast("cpu", enabled=False):
                y = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), is_causal=True)
        else:
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(batch, tokens, -1))


class FeedForward(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.gate_proj = nn.Linear(c.dim, c.ffn, bias=False)
        self.up_proj = nn.Linear(c.dim, c.ffn, bias=False)
        self.down_proj = nn.Linear(c.ffn, c.dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Expert(nn.Module):
    """The same function; Mixtral's checkpoints call gate, down and up w1, w2 and w3."""

    def __init__(self, c: Config):
        super().__init__()
        self.w1 = nn.Linear(c.dim, c.ffn, bias=False)
        self.w2 = nn.Linear(c.ffn, c.dim, bias=False)
        self.w3 = nn.Linear(c.dim, c.ffn, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class SparseMoe(nn.Module):
    """A router sends every token to `experts_per_token` experts; their outputs are added, weighted by the router."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.gate = nn.Linear(c.dim, c.experts, bias=False)
        self.experts = nn.ModuleList(Expert(c) for _ in range(c.experts))

    @torch.compiler.disable  # an expert gets a different number of tokens at every step
    def forward(self, x: Tensor) -> Tensor:
        c, flat = self.c, x.flatten(0, 1)                           # [tokens, dim]
        with torch.autocast(x.device.type, enabled=False):          # routing decides; it is computed in float32
            scores = F.linear(flat.float(), self.gate.weight.float()).softmax(-1)  # [tokens, experts]
        weight, chosen = scores.topk(c.experts_per_token, dim=-1)
        # Equal to a softmax over the chosen logits alone.
        weight = weight / weight.sum(-1, keepdim=True)

        # Tokens in the order of their expert, so that each expert sees one dense matrix.
        order = chosen.flatten().argsort(stable=True)
        load = torch.bincount(chosen.flatten(), minlength=c.experts)
        token = order // c.experts_per_token
        parts = flat[token].split(load.tolist())
        done = torch.cat([expert(p) for expert, p in zip(self.experts, parts)])
        out = torch.zeros_like(flat, dtype=torch.float32)
        out.index_add_(0, token, done.float() * weight.flatten()[order, None])

        # Switch Transformer (arXiv:2101.03961, eq. 4): least when every expert gets the same share. The share of
        # the tokens is a count; only the mean probability beside it carries a gradient.
        share = load.float() / load.sum()
        self.balance_loss = c.experts * (share * scores.mean(0)).sum()
        self.share = share.detach()
        return out.view_as(x)


class Layer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.input_layernorm = RMSNorm(c.dim, c.norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = RMSNorm(c.dim, c.norm_eps)
        self.add_module("block_sparse_moe" if c.experts else "mlp", SparseMoe(c) if c.experts else FeedForward(c))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        feed_forward = self.block_sparse_moe if hasattr(self, "block_sparse_moe") else self.mlp
        return x + feed_forward(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.config = c
        self.embed_tokens = nn.Embedding(c.vocab, c.dim)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.dim, c.norm_eps)
        cos, sin = rope_tables(c)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:  # the matrices that write into the residual stream start smaller
                into_stream = name.endswith(("o_proj.weight", "down_proj.weight", "w2.weight"))
                nn.init.normal_(p, std=0.02 / (2 * c.layers) ** 0.5 if into_stream else 0.02)

    def forward(self, ids: Tensor) -> Tensor:
        """ids [batch, tokens] -> logits [batch, tokens, vocab]"""
        x = self.embed_tokens(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.linear(self.norm(x), self.embed_tokens.weight)

    def balance_loss(self) -> Tensor:
        """Mean over the layers, of the last forward pass; 1 when the load is even."""
        return torch.stack([layer.block_sparse_moe.balance_loss for layer in self.layers]).mean()

    def expert_load(self) -> Tensor:
        """[layers, experts] share of the last forward pass's assignments"""
        return torch.stack([layer.block_sparse_moe.share for layer in self.layers])
