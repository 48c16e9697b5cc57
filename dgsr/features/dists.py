"""DISTS: a distance of structure and texture in the features of an ImageNet network."""

from __future__ import annotations

from importlib.metadata import distribution

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d

from dgsr.features.networks import IMAGENET_MEAN, IMAGENET_STD, VGG16_RELUS, levels, vgg16
from dgsr.ops.precision import at_least_fp32
from dgsr.types import Images

_POOLS = (4, 9, 16, 23)
_EPSILON = 1e-6


class DistsDistance(nn.Module):
    """Compare means and covariances of an image and of its features at five depths, channel by channel.

    Args:
        weights: Source of VGG-16's weights: auto, offline, torchvision, or a path.

    Source: Ding et al., Image quality assessment: unifying structure and texture similarity, Eq. 7.
    """

    mean: Tensor
    std: Tensor
    alpha: Tensor
    beta: Tensor

    def __init__(self, weights: str = "auto") -> None:
        super().__init__()
        self.network = vgg16(weights)
        for index in _POOLS:
            self.network[index] = _L2Pool()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(IMAGENET_STD)[:, None, None])
        alpha, beta = _channel_weights()
        total = alpha.sum() + beta.sum()
        self.register_buffer("alpha", alpha / total)
        self.register_buffer("beta", beta / total)

    def describe(self, images: Images) -> list[Float[Tensor, "b _ _ _"]]:
        """Return the images themselves, in [0, 1], and their features at five depths."""
        features = levels(self.network, (images - self.mean) / self.std, VGG16_RELUS)
        return [at_least_fp32(level) for level in (images, *features)]

    def compare(
        self, left: list[Float[Tensor, "b _ _ _"]], right: list[Float[Tensor, "b _ _ _"]]
    ) -> Float[Tensor, " b"]:
        """Return the distance between what `describe` returned for two batches, 0 for equal images."""
        textures, structures = zip(*(_similarities(x, y) for x, y in zip(left, right, strict=True)), strict=True)
        return 1 - torch.cat(textures, dim=1) @ self.alpha - torch.cat(structures, dim=1) @ self.beta

    def forward(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the distance of each pair; images in [0, 1]."""
        return self.compare(self.describe(sr), self.describe(hq))


class _L2Pool(nn.Module):
    """Halve the size by L2 pooling, which aliases less than max pooling."""

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c _ _"]:
        channels = features.shape[1]
        hann = torch.as_tensor(np.hanning(5)[1:-1], dtype=features.dtype, device=features.device)
        kernel = torch.outer(hann, hann) / hann.sum().square()
        kernel = kernel.expand(channels, 1, 3, 3)
        return (conv2d(features.square(), kernel, stride=2, padding=1, groups=channels) + 1e-12).sqrt()


def _similarities(
    x: Float[Tensor, "b c h w"], y: Float[Tensor, "b c h w"]
) -> tuple[Float[Tensor, "b c"], Float[Tensor, "b c"]]:
    """Compare the means (texture) and the covariance (structure) of each channel."""
    mean_x, mean_y = x.mean(dim=(2, 3)), y.mean(dim=(2, 3))
    var_x, var_y = x.var(dim=(2, 3), correction=0), y.var(dim=(2, 3), correction=0)
    covariance = (x * y).mean(dim=(2, 3)) - mean_x * mean_y
    texture = (2 * mean_x * mean_y + _EPSILON) / (mean_x.square() + mean_y.square() + _EPSILON)
    return texture, (2 * covariance + _EPSILON) / (var_x + var_y + _EPSILON)


def _channel_weights() -> tuple[Float[Tensor, " channels"], Float[Tensor, " channels"]]:
    """Return the authors' weights of texture and structure, which torchmetrics contains."""
    path = distribution("torchmetrics").locate_file("torchmetrics/functional/image/dists_models/weights.pt")
    state = torch.load(str(path), map_location="cpu", weights_only=True)
    return state["alpha"].detach().flatten(), state["beta"].detach().flatten()
