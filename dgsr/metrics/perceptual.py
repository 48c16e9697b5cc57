"""Compute LPIPS and DISTS, distances between features of networks trained on ImageNet."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from dgsr.features import DistsDistance, LpipsDistance
from dgsr.metrics.metric import Metric
from dgsr.types import Images


class Lpips(Metric):
    """LPIPS, version 0.1."""

    direction: Literal["higher", "lower"] = "lower"

    def __init__(self, net: Literal["alex", "vgg"] = "alex", weights: str = "auto") -> None:
        super().__init__()
        self.name = "lpips" if net == "alex" else "lpips_vgg"
        self.variant = "AlexNet" if net == "alex" else "VGG-16"
        self.min_side_px = 31 if net == "alex" else 16  # the feature map of the last layer would be empty below
        self.distance = LpipsDistance(net, weights)

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the distance, 0 for equal images."""
        return self.distance(2 * sr - 1, 2 * hq - 1)


class Dists(Metric):
    """Deep image structure and texture similarity."""

    name = "dists"
    direction: Literal["higher", "lower"] = "lower"
    variant = "VGG-16, at the images' own size"

    def __init__(self, weights: str = "auto") -> None:
        super().__init__()
        self.distance = DistsDistance(weights)

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the distance, 0 for equal images."""
        return self.distance(sr, hq)
