"""The adversarial term: from which step on it counts, what the discriminator sees, and what its answers cost."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from dgsr.checks import expect
from dgsr.losses.adversarial import AdversarialLoss, Kind
from dgsr.losses.augmentation import Augmentation, augment
from dgsr.losses.gradient_penalty import r1
from dgsr.training.loop.sample import Sample
from dgsr.types import Images

Parts = dict[str, Float[Tensor, ""]]


class Adversary(nn.Module):
    """Ask a discriminator, and weigh what its answers cost both networks.

    Args:
        loss: multilevel_sigmoid, hinge or relativistic.
        weight: Of the generator's term and of the discriminator's loss; 0 never asks the discriminator.
        start_step: Steps before the discriminator is asked at all.
        ramp_steps: Steps over which the generator's term then rises to its weight; the discriminator learns in full.
        r1_weight: γ of the R1 penalty, on what the discriminator sees of real images.
        augment: What is done to all images that the discriminator sees: color, translation, cutout, affine.

    Source: S3Diff Sec. 3.4; the start after some steps as in VQGAN's program.
    """

    def __init__(
        self,
        loss: Kind = "multilevel_sigmoid",
        weight: float = 0.5,
        start_step: int = 0,
        ramp_steps: int = 0,
        r1_weight: float = 0.0,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        given = {"weight": weight, "start_step": start_step, "ramp_steps": ramp_steps, "r1_weight": r1_weight}
        for name, value in given.items():
            expect(value >= 0, f"objective.adversarial.{name} of 0 or more", value)
        super().__init__()
        self.loss = AdversarialLoss(loss)
        self.weight, self.start_step, self.ramp_steps = weight, start_step, ramp_steps
        self.r1_weight, self.augmentations = r1_weight, tuple(augment)

    def weight_at(self, step: int) -> float:
        """Return the weight of the generator's term after that many steps, 0 before the start."""
        return self.weight * min(1.0, max(0, step - self.start_step + 1) / (self.ramp_steps + 1))

    def fool(self, discriminator: nn.Module, sample: Sample, sr: Images, step: int) -> Parts:
        """Return the generator's weighted term for its restoration of a sample; images in [-1, 1]."""
        real = None
        if self.loss.needs_real:
            with torch.no_grad():
                real = discriminator(self._seen(sample.hq, sample))
        fake = discriminator(self._seen(sr, sample))
        return {"gan": self.weight_at(step) * self.loss.generator(fake, real)}

    def discriminate(self, discriminator: nn.Module, sample: Sample, sr: Images) -> tuple[Parts, Parts]:
        """Return the discriminator's weighted losses, and the shares of real and generated that it takes for real."""
        seen = self._seen(sample.hq, sample)
        losses: Parts = {}
        if self.r1_weight:
            seen = seen.detach().requires_grad_()
            with sdpa_kernel(SDPBackend.MATH):  # fused attention has no second derivative
                real = discriminator(seen)
            losses["r1"] = self.r1_weight * r1(seen, real)
        else:
            real = discriminator(seen)
        fake = discriminator(self._seen(sr.detach(), sample))
        losses["discriminator"] = self.weight * self.loss.discriminator(real, fake)
        return losses, {f"judged_real/{name}": share for name, share in self.loss.judged_real(real, fake).items()}

    def _seen(self, images: Images, sample: Sample) -> Images:
        return augment(images, sample.seeds, self.augmentations)
