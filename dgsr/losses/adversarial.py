"""The losses of the generator and the discriminator against each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

Kind = Literal["multilevel_sigmoid", "hinge"]


class AdversarialLoss(nn.Module):
    """Average over the logits of each level, sum over levels.

    Args:
        kind: multilevel_sigmoid (cross-entropy, smoothed to 0.8 for real) or hinge.

    Source: Kumari et al., Ensembling off-the-shelf models for GAN training (multilevel_sigmoid).
    """

    def __init__(self, kind: Kind = "multilevel_sigmoid") -> None:
        super().__init__()
        self.terms = _TERMS[kind]

    def generator(self, fake: list[Tensor]) -> Float[Tensor, ""]:
        """Return how far the generator's images are from passing as real."""
        return _over_levels(self.terms.fooling, fake)

    def discriminator(self, real: list[Tensor], fake: list[Tensor]) -> Float[Tensor, ""]:
        """Return how far the discriminator is from telling real images and generated ones apart."""
        return _over_levels(self.terms.on_real, real) + _over_levels(self.terms.on_fake, fake)


class _Terms(NamedTuple):
    """What each logit costs: the generator for its image, the discriminator for a real and for a generated one."""

    fooling: Callable[[Tensor], Tensor]
    on_real: Callable[[Tensor], Tensor]
    on_fake: Callable[[Tensor], Tensor]


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target), reduction="none")


def _hinge(logits: Tensor, sign: int) -> Tensor:
    return relu(1 - sign * logits)


_REAL, _FAKE = partial(_cross_entropy, target=0.8), partial(_cross_entropy, target=0.0)
_TERMS: dict[Kind, _Terms] = {
    "multilevel_sigmoid": _Terms(fooling=_REAL, on_real=_REAL, on_fake=_FAKE),
    "hinge": _Terms(fooling=torch.neg, on_real=partial(_hinge, sign=1), on_fake=partial(_hinge, sign=-1)),
}


def _over_levels(cost: Callable[[Tensor], Tensor], levels: list[Tensor]) -> Float[Tensor, ""]:
    return torch.stack([cost(logits.float()).mean() for logits in levels]).sum()
