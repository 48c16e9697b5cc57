"""Compute the R1 gradient penalty of a discriminator."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.types import Images


def r1(real: Images, logits: list[Tensor]) -> Float[Tensor, ""]:
    """Return half the squared gradient norm of a discriminator's output at real images, averaged over the batch.

    Args:
        real: Images that require a gradient and from which the logits were computed.
        logits: A tensor per level; each level is averaged over positions, as in the adversarial losses.

    Source: Mescheder et al., Which training methods for GANs do actually converge?, Eq. 9 with γ = 1.
    """
    output = torch.stack([level.float().flatten(1).mean(dim=1).sum() for level in logits]).sum()
    (gradient,) = torch.autograd.grad(output, real, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2
