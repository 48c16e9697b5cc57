"""What the generator is asked for: reconstruction on positive and negative samples, and realism."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.losses.augmentation import Augmentation, augment
from dgsr.losses.perceptual import DistsLoss, LpipsLoss
from dgsr.losses.pixel import charbonnier, l1, mse
from dgsr.models.prompts import Prompts
from dgsr.seeds import rng
from dgsr.training.critics.gan import Adversary
from dgsr.training.loop.sample import Sample, Task
from dgsr.types import Images, Seeds

_PIXEL: dict[str, Callable[[Images, Images], Tensor]] = {"mse": mse, "l1": l1, "charbonnier": charbonnier}
_PERCEPTUAL: dict[str, Callable[[str], nn.Module]] = {
    "lpips": lambda features: LpipsLoss("vgg", features),
    "lpips_alex": lambda features: LpipsLoss("alex", features),
    "dists": DistsLoss,
}
_NAMES = (*_PIXEL, *_PERCEPTUAL)


class Objective(nn.Module):
    """The losses of both networks, and the online negative samples.

    Args:
        reconstruction: Weight of each reconstruction loss, by name: mse, l1, charbonnier, lpips (VGG-16),
            lpips_alex, dists.
        adversarial: The term that a discriminator gives, where there is one.
        negative_prob: Probability that a sample is negative: negative prompt, degraded target.
        features: Where the weights of LPIPS and DISTS come from: auto, torchvision, offline, or a path.
        augment: What is done, alike, to both images that LPIPS and DISTS compare: color, translation, cutout, affine,
            of which the last keeps patterns from paying that fit the strides of their convolutions.

    Source: S3Diff Sec. 3.4 (losses) and 3.3 (negative samples).
    """

    def __init__(
        self,
        reconstruction: Mapping[str, float],
        adversarial: Adversary,
        negative_prob: float = 0.05,
        features: str = "auto",
        augment: Sequence[Augmentation] = (),
    ) -> None:
        super().__init__()
        unknown = sorted(set(reconstruction) - set(_NAMES))
        expect(not unknown, f"losses among {', '.join(_NAMES)}", ", ".join(unknown), "Mend objective.reconstruction.")
        expect(0 <= negative_prob <= 1, "objective.negative_prob within 0 and 1", negative_prob)
        self.weights = {name: float(weight) for name, weight in reconstruction.items() if weight}
        expect(bool(self.weights), "a reconstruction loss with a weight above 0", dict(reconstruction))
        wanted = {name: build(features) for name, build in _PERCEPTUAL.items() if name in self.weights}
        self.perceptual = nn.ModuleDict(wanted)
        self.adversarial = adversarial
        self.negative_prob, self.augmentations = negative_prob, tuple(augment)

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

    def reconstruct(self, sr: Images, target: Images, seeds: Seeds) -> dict[str, Float[Tensor, ""]]:
        """Return the weighted reconstruction losses; images in [-1, 1], and the seeds of their samples."""
        losses = {name: loss(sr, target) for name, loss in _PIXEL.items() if name in self.weights}
        if self.perceptual:
            seen = [augment(images, seeds, self.augmentations) for images in (sr, target)]
            losses |= {name: loss(*seen) for name, loss in self.perceptual.items()}
        return {name: weight * losses[name].mean() for name, weight in self.weights.items()}
