"""Adversarial losses of the generator and of the discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

from dgsr.ops.precision import at_least_fp32

Kind = Literal["multilevel_sigmoid", "hinge", "relativistic"]


class AdversarialLoss(nn.Module):
    """Compute adversarial losses, averaged over the logits of each level and summed over levels.

    Args:
        kind: multilevel_sigmoid (cross-entropy with target 0.8 for real), hinge, or relativistic (predicts which image
            of a pair, the original or its restoration, is real).

    Source: Kumari et al., Ensembling off-the-shelf models for GAN training (multilevel_sigmoid); Jolicoeur-Martineau,
    The relativistic discriminator, Sec. 4.1 (relativistic).
    Differs from ESRGAN: its relativistic loss compares with the mean over a batch, and so depends on the batch size.
    """

    def __init__(self, kind: Kind = "multilevel_sigmoid") -> None:
        super().__init__()
        self.costs = _COSTS[kind]
        self.needs_real = kind == "relativistic"

    def generator(self, fake: list[Tensor], real: list[Tensor] | None = None) -> Float[Tensor, ""]:
        """Return the generator's loss, low if its images are judged as real.

        Args:
            fake: Logits of the generator's images, a tensor per level.
            real: Logits of the real images; required if `needs_real`.
        """
        return _over_levels(self.costs.generator, fake if real is None else real, fake)

    def discriminator(self, real: list[Tensor], fake: list[Tensor]) -> Float[Tensor, ""]:
        """Return the discriminator's loss, low if real and generated images are separated."""
        return _over_levels(self.costs.discriminator, real, fake)

    def judged_real(self, real: list[Tensor], fake: list[Tensor]) -> dict[str, Float[Tensor, ""]]:
        """Return the shares of real and of generated patches judged as real, averaged over levels."""
        if self.needs_real:
            real = [one - other for one, other in zip(real, fake, strict=True)]
            fake = [-margin for margin in real]
        return {"real": _share_above_zero(real), "fake": _share_above_zero(fake)}


class _Costs(NamedTuple):
    """Losses of both networks, as functions of real and fake logits."""

    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor, Tensor], Tensor]


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, target), reduction="none")


def _sigmoid_generator(real: Tensor, fake: Tensor) -> Tensor:
    return _cross_entropy(fake, 0.8)


def _sigmoid_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return _cross_entropy(real, 0.8) + _cross_entropy(fake, 0.0)


def _hinge_generator(real: Tensor, fake: Tensor) -> Tensor:
    return -fake


def _hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return relu(1 - real) + relu(1 + fake)


def _relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(real - fake)


def _relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(fake - real)


_COSTS: dict[Kind, _Costs] = {
    "multilevel_sigmoid": _Costs(_sigmoid_generator, _sigmoid_discriminator),
    "hinge": _Costs(_hinge_generator, _hinge_discriminator),
    "relativistic": _Costs(_relativistic_generator, _relativistic_discriminator),
}


def _over_levels(cost: Callable[[Tensor, Tensor], Tensor], real: list[Tensor], fake: list[Tensor]) -> Float[Tensor, ""]:
    levels = [cost(at_least_fp32(one), at_least_fp32(other)).mean() for one, other in zip(real, fake, strict=True)]
    return torch.stack(levels).sum()


def _share_above_zero(levels: list[Tensor]) -> Float[Tensor, ""]:
    return torch.stack([(logits > 0).float().mean() for logits in levels]).mean()
