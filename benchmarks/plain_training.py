"""A plain implementation of the published training loop: two forwards of the generator, two steps per network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate, mse_loss
from torch.optim import AdamW

from benchmarks.plain_s3diff import PlainS3Diff
from dgsr.losses.augmentation import augment
from dgsr.models.options import NEGATIVE, POSITIVE
from dgsr.types import Seeds

_REAL, _FAKE = 0.8, 0.0
_RATE, _DECAY = 2e-5, 1e-2


class PlainTraining:
    """Train like the published program, in fp32.

    Args:
        method: The generator.
        estimator: Network from degraded images to scores.
        judge: The discriminator, from images in [-1, 1] to a list of logits.
        lpips: Function from restored images and ground truth to one distance per image.
        negative_prob: Probability that a sample is negative.
    """

    def __init__(
        self, method: PlainS3Diff, estimator: nn.Module, judge: nn.Module, lpips: nn.Module, negative_prob: float
    ) -> None:
        self.method, self.estimator, self.judge, self.lpips = method, estimator, judge, lpips
        self.negative_prob = negative_prob
        judging = [parameter for parameter in judge.parameters() if parameter.requires_grad]
        self.generators = AdamW(method.trained().values(), _RATE, weight_decay=_DECAY)
        self.judges = AdamW(judging, _RATE, weight_decay=_DECAY)

    def step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        """Step both networks twice; return the weighted losses of the generator."""
        with torch.no_grad():
            scores = self.estimator(batch["lq"])
        hq = batch["hq"] * 2 - 1
        lq_up = interpolate(batch["lq"], hq.shape[-2:], mode="bicubic").clamp(0, 1) * 2 - 1
        negative = torch.rand(len(hq)) < self.negative_prob

        sr = self.method.restore(lq_up, scores, [NEGATIVE if drawn else POSITIVE for drawn in negative])
        target = torch.where(negative[:, None, None, None], lq_up, hq)
        losses = {"mse": 2.0 * mse_loss(sr, target), "lpips": 5.0 * self.lpips(sr, target).mean()}
        _descend(losses["mse"] + losses["lpips"], self.generators)

        sr = self.method.restore(lq_up, scores, [POSITIVE] * len(hq))
        losses["gan"] = self._judged(sr, _REAL, batch["seed"])
        _descend(losses["gan"], self.generators)
        self.judges.zero_grad()  # the adversarial term left gradients there

        for images, target in ((hq, _REAL), (sr.detach(), _FAKE)):
            _descend(self._judged(images, target, batch["seed"]), self.judges)
        return {name: loss.item() for name, loss in losses.items()}

    def _judged(self, images: Tensor, target: float, seeds: Seeds) -> Tensor:
        """Return the weighted sum of the cross-entropy over all levels."""
        levels = self.judge(augment(images, seeds, ("color", "translation", "cutout")))
        costs = [binary_cross_entropy_with_logits(level, torch.full_like(level, target)) for level in levels]
        return 0.5 * torch.stack(costs).sum()


def _descend(loss: Tensor, optimizer: AdamW) -> None:
    loss.backward()
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], 1.0)
    optimizer.step()
    optimizer.zero_grad()
