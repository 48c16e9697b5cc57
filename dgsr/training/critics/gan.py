"""Adversarial training: when the loss starts, what the discriminator sees, and how each side is weighted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from dgsr.checks import expect
from dgsr.losses import AdversarialLoss, Attempt, r1
from dgsr.losses.adversarial import Kind
from dgsr.losses.augmentation import Augmentation, augment
from dgsr.training.critics.interface import Critic, Terms
from dgsr.types import Images


class Gan(Critic):
    """Train a discriminator against the generator.

    Args:
        discriminator: Maps images in [-1, 1] to a list of logits, one per level; None leaves the critic inactive.
        loss: multilevel_sigmoid, hinge or relativistic.
        weight: Weight of the generator's term and of the discriminator's loss; 0 leaves the critic inactive.
        start_step: Steps before the critic becomes active.
        ramp_steps: Steps over which the generator's term then rises to its weight; the discriminator's loss does not.
        r1_weight: γ of the R1 penalty, on the images that the discriminator sees as real.
        augment: Augmentations of all images that the discriminator sees: color, translation, cutout, affine.

    Source: S3Diff Sec. 3.4; the delayed start as in VQGAN's code.
    """

    def __init__(
        self,
        discriminator: nn.Module | None,
        loss: Kind = "multilevel_sigmoid",
        weight: float = 0.5,
        start_step: int = 0,
        ramp_steps: int = 0,
        r1_weight: float = 0.0,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        numbers = {"weight": weight, "start_step": start_step, "ramp_steps": ramp_steps, "r1_weight": r1_weight}
        for name, value in numbers.items():
            expect(value >= 0, f"critics.gan.{name} of 0 or more", value)
        super().__init__(discriminator)
        self.loss = AdversarialLoss(loss)
        self.weight, self.start_step, self.ramp_steps = weight, start_step, ramp_steps
        self.r1_weight, self.augmentations = r1_weight, tuple(augment)

    def weight_at(self, step: int) -> float:
        """Return the weight of the generator's term after this many steps, 0 before the start."""
        if self.network is None:
            return 0.0
        return self.weight * min(1.0, max(0, step - self.start_step + 1) / (self.ramp_steps + 1))

    def judge(self, attempt: Attempt) -> Terms:
        """Return the generator's weighted term."""
        real = None
        if self.loss.needs_real:
            with torch.no_grad():
                real = self._logits(self._augmented(attempt.hq, attempt))
        fake = self._logits(self._augmented(attempt.sr, attempt))
        return {"gan": self.weight_at(attempt.step) * self.loss.generator(fake, real)}

    def learn(self, attempt: Attempt) -> tuple[Terms, Terms]:
        """Return the discriminator's weighted losses, and the shares of patches judged as real."""
        images = self._augmented(attempt.hq, attempt)
        losses: Terms = {}
        if self.r1_weight:
            images = images.detach().requires_grad_()
            with sdpa_kernel(SDPBackend.MATH):  # fused attention has no second derivative
                real = self._logits(images)
            losses["r1"] = self.r1_weight * r1(images, real)
        else:
            real = self._logits(images)
        fake = self._logits(self._augmented(attempt.sr.detach(), attempt))
        losses["discriminator"] = self.weight * self.loss.discriminator(real, fake)
        return losses, {f"judged_real/{name}": share for name, share in self.loss.judged_real(real, fake).items()}

    def _logits(self, images: Images) -> list[torch.Tensor]:
        assert self.network is not None, "an inactive critic is not used"
        return self.network(images)

    def _augmented(self, images: Images, attempt: Attempt) -> Images:
        return augment(images, attempt.seeds, self.augmentations)
