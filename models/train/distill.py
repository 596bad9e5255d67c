"""Knowledge distillation: a small model learns the whole distribution of a large one, not only the next token.

A text shows the student one token per position. The teacher's probabilities say, for the same position, how good every
token of the vocabulary would have been, which is far more to learn from (Hinton, Vinyals and Dean, arXiv:1503.02531). Three
terms are added, weighted by the configuration:

    soft    KL(teacher || student) at a temperature T, times T^2 so that its gradient keeps its size when T changes
    hard    cross entropy with the token that the teacher finds likeliest; a draft is accepted where it guesses that one
    truth   cross entropy with the text itself

Half of what a draft model meets in use was written by its teacher. So part of the windows is text that the teacher wrote
itself (generate.py, the group "own"), which is also how a draft avoids meeting only text unlike its work: DistillSpec,
arXiv:2310.08461.
"""
from pathlib import Path

import torch
import torch.nn.functional as F

from model import Config, Model


def distillation_loss(student: torch.Tensor, teacher: torch.Tensor, text: torch.Tensor, temperature: float,
                      soft: float, hard: float, truth: float) -> tuple[torch.Tensor, torch.Tensor]:
    """student, teacher [positions, vocab] logits in float32; text [positions] the ids that follow.

    -> (the sum of the three terms, the student's nats per token on the text)
    """
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher / temperature, dim=-1)
    kl = (log_teacher.exp() * (log_teacher - log_student)).sum(-1).mean() * temperature ** 2
    likeliest = F.cross_entropy(student, teacher.argmax(-1))
    nats = F.cross_entropy(student, text)
    return soft * kl + hard * likeliest + truth * nats, nats


def load_model(path: Path, device: str = "cpu") -> Model:
    """A trained model from its checkpoint, in evaluation mode, without gradients."""
    checkpoint = torch.load(path, map_location=device, weights_only=False)
    model = Model(Config(**checkpoint["shape"])).to(device).eval().requires_grad_(False)
    model.load_state_dict(checkpoint["model"])
    return model


def principal_rows(embedding: torch.Tensor, dim: int) -> torch.Tensor:
    """[vocab, teacher's dim] -> [vocab, dim]: the rows along their `dim` strongest common directions. A student that
    begins with these knows from the first step which tokens are alike."""
    _, _, v = torch.linalg.svd(embedding.float(), full_matrices=False)
    return embedding.float() @ v[:dim].T


class Distillation:
    """The loss of train.py for a configuration with a teacher."""

    def __init__(self, teacher: Path, config: dict, student: Model, device: str):
        self.student, self.teacher = student, load_model(teacher, device)
        self.terms = {name: config[name] for name in ("temperature", "soft", "hard", "truth")}

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            teacher = self.teacher(x).flatten(0, 1).float()
        return distillation_loss(self.student(x).flatten(0, 1).float(), teacher, y.flatten(), **self.terms)


def self_test() -> None:
    torch.manual_seed(1)
    teacher, text = torch.randn(7, 11), torch.randint(0, 11, (7,))
    same, _ = distillation_loss(teacher.clone(), teacher, text, 2.0, 1.0, 0.0, 0.0)
    assert abs(same.item()) < 1e-6, "a student that equals its teacher has nothing to learn"
    student = torch.randn(7, 11)
    loss, _ = distillation_loss(student, teacher, text, 2.0, 1.0, 0.0, 0.0)
    p, q = (teacher / 2).softmax(-1).double(), (student / 2).softmax(-1).double()
    assert abs(loss.item() - 4 * (p * (p / q).log()).sum(-1).mean().item()) < 1e-5
    total, nats = distillation_loss(student, teacher, text, 1.0, 0.0, 0.5, 0.25)
    expected = 0.5 * F.cross_entropy(student, teacher.argmax(-1)) + 0.25 * F.cross_entropy(student, text)
    assert torch.allclose(total, expected) and torch.allclose(nats, F.cross_entropy(student, text))
    flat = torch.randn(50, 3) @ torch.randn(3, 9)  # nine columns, three directions: nothing is lost
    rows = principal_rows(flat, 3)
    assert torch.allclose(rows @ rows.T, flat @ flat.T, atol=1e-4)
    print("self-test passed")


if __name__ == "__main__":
    self_test()
