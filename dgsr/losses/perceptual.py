"""Use LPIPS and DISTS as losses, whose targets receive no gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dgsr.features import DistsDistance, LpipsDistance
from dgsr.images import to_unit
from dgsr.losses.attempt import Attempt
from dgsr.losses.augmentation import Augmentation, augment
from dgsr.types import Images


class LpipsLoss(LpipsDistance):
    """The LPIPS distance to a target."""

    def forward(self, sr: Images, target: Images) -> Float[Tensor, " b"]:
        """Return the distance of each image to its target; images in [-1, 1]."""
        with torch.no_grad():
            described = self.describe(target)
        return self.compare(self.describe(sr), described)


class DistsLoss(DistsDistance):
    """The DISTS distance to a target."""

    def forward(self, sr: Images, target: Images) -> Float[Tensor, " b"]:
        """Return the distance of each image to its target; images in [-1, 1]."""
        with torch.no_grad():
            described = self.describe(to_unit(target))
        return self.compare(self.describe(to_unit(sr)), described)


class _Perceptual(nn.Module):
    """A distance between augmented images."""

    def __init__(self, distance: nn.Module, kinds: Sequence[Augmentation]) -> None:
        super().__init__()
        self.distance, self.augmentations = distance, tuple(kinds)

    def forward(self, attempt: Attempt) -> Float[Tensor, " b"]:
        """Return the distance of each image to its target, both augmented alike."""
        sr, target = (augment(each, attempt.seeds, self.augmentations) for each in (attempt.sr, attempt.target))
        return self.distance(sr, target)


class Lpips(_Perceptual):
    """LPIPS between an attempt and its target.

    Args:
        net: vgg (VGG-16) or alex (AlexNet, a twentieth of the cost).
        features: Source of the network's weights: auto, torchvision, offline, or a path.
        augment: Augmentations of both images before the comparison: color, translation, cutout, affine. `affine`
            discourages artifacts aligned with the network's strides.
    """

    def __init__(
        self, net: Literal["alex", "vgg"] = "vgg", features: str = "auto", augment: Sequence[Augmentation] = ()
    ) -> None:
        super().__init__(LpipsLoss(net, features), augment)


class Dists(_Perceptual):
    """DISTS between an attempt and its target; arguments as for `Lpips`."""

    def __init__(self, features: str = "auto", augment: Sequence[Augmentation] = ()) -> None:
        super().__init__(DistsLoss(features), augment)
