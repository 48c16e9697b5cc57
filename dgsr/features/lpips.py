"""LPIPS: a perceptual distance in the features of an ImageNet network."""

from __future__ import annotations

from importlib.metadata import distribution
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

from dgsr.features.networks import VGG16_RELUS, alexnet, levels, vgg16
from dgsr.ops.precision import at_least_fp32
from dgsr.types import Images

_NETWORKS = {"vgg": vgg16, "alex": alexnet}
_RELUS = {"vgg": VGG16_RELUS, "alex": (1, 4, 7, 9, 11)}
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class LpipsDistance(nn.Module):
    """Compare unit-length features at five depths, weighted per channel to match human judgements.

    Args:
        net: The feature network: vgg or alex.
        weights: Where they come from: auto, offline, torchvision, or a path.

    Source: Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, Eq. 1.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, net: Literal["vgg", "alex"] = "vgg", weights: str = "auto") -> None:
        super().__init__()
        self.network = _NETWORKS[net](weights)
        self.after = _RELUS[net]
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None])
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None])
        for depth, head in enumerate(_heads(net)):
            self.register_buffer(f"head{depth}", head)

    def describe(self, images: Images) -> list[Float[Tensor, "b _ _ _"]]:
        """Return the features at five depths, of length 1 at every position; images in [-1, 1]."""
        activations = levels(self.network, (images - self.shift) / self.scale, self.after)
        return [_unit(at_least_fp32(features)) for features in activations]

    def compare(
        self, left: list[Float[Tensor, "b _ _ _"]], right: list[Float[Tensor, "b _ _ _"]]
    ) -> Float[Tensor, " b"]:
        """Return the distance between what `describe` returned for two batches."""
        pairs = enumerate(zip(left, right, strict=True))
        maps = (conv2d((a - b).square(), self.get_buffer(f"head{depth}")) for depth, (a, b) in pairs)
        return torch.stack([differences.mean(dim=(1, 2, 3)) for differences in maps]).sum(dim=0)

    def forward(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the distance of each pair; images in [-1, 1]."""
        return self.compare(self.describe(sr), self.describe(hq))


def _unit(features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    # The norm's gradient is 0 where all features are 0; that of a root of a sum of squares would be NaN.
    return features / (torch.linalg.vector_norm(features, dim=1, keepdim=True) + _EPSILON)


def _heads(net: str) -> list[Float[Tensor, "1 _ 1 1"]]:
    """Return the weights of the channels that the authors published, which the package lpips contains."""
    path = distribution("lpips").locate_file(f"lpips/weights/v0.1/{net}.pth")
    state = torch.load(str(path), map_location="cpu", weights_only=True)
    return [state[f"lin{depth}.model.1.weight"] for depth in range(5)]
