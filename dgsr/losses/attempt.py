"""Hold the images and scores of a micro batch that losses and critics use."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from dgsr.types import Images, Scores, Seeds


@dataclass(frozen=True)
class Attempt:
    """A restored micro batch with its inputs and targets; images in [-1, 1].

    Attributes:
        sr: Output of the network.
        target: The images that reconstruction losses compare with: `hq`, or `lq_up` of negative samples.
        lq_up: The degraded images at the size of the output.
        scores: Blur and noise in [0, 1], or None where no scores are estimated.
        latent: The clean, scaled latents from which `sr` was decoded, or None where there are none.
        seeds: One seed per sample, for the random choices of losses and critics.
        step: Steps done before this one.
        hq: The sharp images.
    """

    sr: Images
    target: Images
    lq_up: Images
    scores: Scores | None
    latent: Float[Tensor, "b channels rows columns"] | None
    seeds: Seeds
    step: int
    hq: Images

    def detach(self) -> Attempt:
        """Return a copy without gradients, for the training of critics."""
        return replace(self, sr=self.sr.detach(), latent=None if self.latent is None else self.latent.detach())
