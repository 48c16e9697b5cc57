"""LPIPS and DISTS as losses: distances to a target that no gradient flows into."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.features import DistsDistance, LpipsDistance
from dgsr.images import to_unit
from dgsr.types import Images


class LpipsLoss(LpipsDistance):
    """The LPIPS distance to a target."""

    def forward(self, sr: Images, target: Images) -> Float[Tensor, " b"]:
        """Return the distance of each image to its target; images in [-1, 1]."""
        with torch.no_grad():
            wanted = self.describe(target)
        return self.compare(self.describe(sr), wanted)


class DistsLoss(DistsDistance):
    """The DISTS distance to a target."""

    def forward(self, sr: Images, target: Images) -> Float[Tensor, " b"]:
        """Return the distance of each image to its target; images in [-1, 1]."""
        with torch.no_grad():
            wanted = self.describe(to_unit(target))
        return self.compare(self.describe(to_unit(sr)), wanted)
