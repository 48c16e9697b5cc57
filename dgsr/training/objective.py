"""What the generator is asked for: reconstruction on positive and negative samples, and realism."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.losses.adversarial import AdversarialLoss
from dgsr.losses.perceptual import LpipsLoss
from dgsr.losses.pixel import charbonnier, l1, mse
from dgsr.models.prompts import Prompts
from dgsr.seeds import rng
from dgsr.training.sample import Sample, Task
from dgsr.types import Images, Seeds

_PIXEL_LOSSES: dict[str, Callable[..., Tensor]] = {"mse": mse, "l1": l1, "charbonnier": charbonnier}
_NAMES = (*_PIXEL_LOSSES, "lpips")


class Objective(nn.Module):
    """The losses of both networks, and the online negative samples.

    Args:
        reconstruction: Weight of each reconstruction loss, by name: mse, l1, charbonnier, lpips.
        adversarial: The pair of adversarial losses.
        adversarial_weight: Weight of the generator's adversarial term and of the discriminator's two.
        negative_prob: Probability that a sample is negative: negative prompt, degraded target.
        features: Where the weights of LPIPS come from: auto, torchvision, offline, or a path.

    Source: S3Diff Sec. 3.4 (losses) and 3.3 (negative samples).
    """

    def __init__(
        self,
        reconstruction: Mapping[str, float],
        adversarial: AdversarialLoss,
        adversarial_weight: float = 0.5,
        negative_prob: float = 0.05,
        features: str = "auto",
    ) -> None:
        super().__init__()
        unknown = sorted(set(reconstruction) - set(_NAMES))
        expect(not unknown, f"losses among {', '.join(_NAMES)}", ", ".join(unknown), "Mend objective.reconstruction.")
        expect(0 <= negative_prob <= 1, "objective.negative_prob within 0 and 1", negative_prob)
        self.weights = {name: float(weight) for name, weight in reconstruction.items() if weight}
        expect(bool(self.weights), "a reconstruction loss with a weight above 0", dict(reconstruction))
        self.lpips = LpipsLoss(net="vgg", weights=features) if "lpips" in self.weights else None
        self.adversarial = adversarial
        self.adversarial_weight = adversarial_weight
        self.negative_prob = negative_prob

    def negatives(self, seeds: Seeds) -> Bool[Tensor, " b"]:
        """Choose the negative samples; the choice is a function of each sample's seed."""
        drawn = [rng(int(seed), "negative").random() < self.negative_prob for seed in seeds]
        return torch.tensor(drawn, dtype=torch.bool, device=seeds.device)

    def task(self, sample: Sample, prompts: Prompts) -> tuple[Bool[Tensor, " b"], Task]:
        """Mix positive and negative samples: which are negative, and the prompt and target of each."""
        negative = self.negatives(sample.seeds)
        prompt = torch.where(negative[:, None, None], prompts.negative, prompts.positive)
        target = torch.where(negative[:, None, None, None], sample.lq_up, sample.hq)
        return negative, Task(prompt, target)

    def reconstruct(self, sr: Images, target: Images) -> dict[str, Float[Tensor, ""]]:
        """Return the weighted reconstruction losses; images in [-1, 1]."""
        parts = {name: loss(sr, target) for name, loss in _PIXEL_LOSSES.items() if name in self.weights}
        if self.lpips is not None:
            parts["lpips"] = self.lpips(sr, target)
        return {name: self.weights[name] * value.mean() for name, value in parts.items()}

    def fool(self, fake: list[Tensor]) -> dict[str, Float[Tensor, ""]]:
        """Return the generator's weighted adversarial term for the discriminator's logits of its images."""
        return {"gan": self.adversarial_weight * self.adversarial.generator(fake)}

    def discriminate(self, real: list[Tensor], fake: list[Tensor]) -> dict[str, Float[Tensor, ""]]:
        """Return the discriminator's weighted loss."""
        return {"discriminator": self.adversarial_weight * self.adversarial.discriminator(real, fake)}
