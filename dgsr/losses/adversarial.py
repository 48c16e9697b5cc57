"""The losses of the generator and the discriminator against each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

from dgsr.checks import expect

Kind = Literal["multilevel_sigmoid", "hinge"]

_REAL, _FAKE = 0.8, 0.0


class AdversarialLoss(nn.Module):
    """Average over the logits of each level, sum over levels.

    Args:
        kind: multilevel_sigmoid (cross-entropy, smoothed to 0.8 for real) or hinge.

    Source: Kumari et al., Ensembling off-the-shelf models for GAN training (multilevel_sigmoid).
    """

    def __init__(self, kind: Kind = "multilevel_sigmoid") -> None:
        super().__init__()
        expect(kind in get_args(Kind), f"one of {', '.join(get_args(Kind))}", kind, "Mend objective.adversarial.kind.")
        self.kind = kind

    def generator(self, fake: list[Tensor]) -> Float[Tensor, ""]:
        """Return how far the generator's images are from passing as real."""
        if self.kind == "hinge":
            return _over_levels(lambda logits: -logits, fake)
        return _over_levels(lambda logits: _cross_entropy(logits, _REAL), fake)

    def discriminator(self, real: list[Tensor], fake: list[Tensor]) -> Float[Tensor, ""]:
        """Return how far the discriminator is from telling real images and generated ones apart."""
        if self.kind == "hinge":
            on_real, on_fake = (lambda logits: relu(1 - logits)), (lambda logits: relu(1 + logits))
        else:
            on_real, on_fake = (
                (lambda logits: _cross_entropy(logits, _REAL)),
                (lambda logits: _cross_entropy(logits, _FAKE)),
            )
        return _over_levels(on_real, real) + _over_levels(on_fake, fake)


def _over_levels(loss: Callable[[Tensor], Tensor], levels: list[Tensor]) -> Float[Tensor, ""]:
    return torch.stack([loss(logits.float()).mean() for logits in levels]).sum()


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target), reduction="none")
