"""Muon: momentum whose matrix is made orthogonal before it is added (https://kellerjordan.github.io/posts/muon/).

A gradient of a matrix is mostly a few strong directions. Muon replaces all its singular values by about 1, so that the weak
directions learn too. Five Newton-Schulz steps do that with matrix products alone. torch.optim.Muon is the same, but
always computes them in bfloat16: on a processor without such instructions they then take longer than the model. Here they are
computed in the precision of the training.
"""
import torch

A, B, C = 3.4445, -4.775, 2.0315  # Keller Jordan's coefficients: singular values end between about 0.7 and 1.2


def orthogonal(g: torch.Tensor, dtype: torch.dtype, steps: int = 5) -> torch.Tensor:
    """g [rows, columns] -> about U V^T of its singular value decomposition U S V^T"""
    x = g.to(dtype)
    if g.shape[0] > g.shape[1]:
        x = x.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x.T if g.shape[0] > g.shape[1] else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum 0.95; a step of 0.2 sqrt(longer side), AdamW's usual size (arXiv:2502.16982); decoupled weight decay."""

    def __init__(self, params, lr: float, weight_decay: float, dtype: torch.dtype, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = orthogonal(p.grad.lerp(m, group["momentum"]), self.dtype)
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(update.to(p.dtype), alpha=-group["lr"] * 0.2 * max(p.shape) ** 0.5)
