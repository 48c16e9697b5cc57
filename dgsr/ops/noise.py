"""Add sensor noise to images in [0, 1]; the numbers come from the caller's generator."""

from __future__ import annotations

import functools

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.types import Images

_LEVELS = 256
_COUNTS = 512  # above 16 standard deviations of the brightest level: what lies beyond has no measurable probability
_LUMA = (0.2989, 0.587, 0.114)


def gaussian_noise(images: Images, sigma_255: float, grey: bool, generator: torch.Generator) -> Images:
    """Add white noise of a standard deviation in grey levels, equal in the three channels if grey; unclamped."""
    batch, channels, height, width = images.shape
    shape = (batch, 1 if grey else channels, height, width)
    noise = torch.randn(shape, generator=generator, dtype=images.dtype, device=images.device)
    return torch.add(images, noise, alpha=sigma_255 / 255)


def poisson_noise(images: Images, scale: float, grey: bool, generator: torch.Generator) -> Images:
    """Add the deviation of photon counts from their mean, times a scale; unclamped.

    An image of n distinct 8-bit values counts v photons at white, where v is n rounded up to a power of two; so the
    noise at brightness x has the standard deviation scale * sqrt(x / v).
    """
    return torch.stack([_poisson_one(image, scale, grey, generator) for image in images])


def _poisson_one(
    image: Float[Tensor, "3 h w"], scale: float, grey: bool, generator: torch.Generator
) -> Float[Tensor, "3 h w"]:
    light = torch.einsum("c,chw->hw", image.new_tensor(_LUMA), image)[None] if grey else image
    levels = (light * 255).round_().clamp_(0, 255).long()
    seen = torch.zeros(_LEVELS, device=image.device)
    seen[levels.flatten()] = 1
    power = seen.sum().log2().ceil().long()
    keep, other = (table.to(image.device)[power] for table in _alias_tables())
    draw = torch.rand(levels.shape, generator=generator, device=image.device) * _COUNTS
    count = draw.long()
    cell = levels * _COUNTS + count
    count = torch.where(draw - count < keep.take(cell), count, other.take(cell))
    return image + scale * (count / 2**power - levels / 255)


@functools.cache
def _alias_tables() -> tuple[Float[Tensor, "powers cells"], Tensor]:
    """Tabulate the Poisson distribution of every level and every power of two for Walker's alias method.

    A uniform number picks a count; with the probability in the first table it stays, else the second table's count
    takes its place. Unlike tabulated quantiles this is exact in the tails as well.
    """
    photons = torch.outer(2.0 ** torch.arange(9), torch.arange(_LEVELS) / (_LEVELS - 1)).double().reshape(-1, 1)
    counts = torch.arange(_COUNTS)
    mass = torch.exp(torch.xlogy(counts, photons) - photons - torch.lgamma(counts.double() + 1))
    keep, other = _alias((mass / mass.mean(1, keepdim=True)).numpy())
    return torch.from_numpy(keep).float().reshape(9, -1), torch.from_numpy(other).reshape(9, -1)


def _alias(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split rows of mean 1 into cells of mass 1 shared by at most two entries, all rows side by side.

    The poorest entry left is filled up from the richest. Source: Walker 1977, in the form of Vose 1991.
    """
    rows = np.arange(len(mass))
    left, keep, other = mass.copy(), np.ones_like(mass), np.tile(np.arange(mass.shape[1]), (len(mass), 1))
    for _ in range(mass.shape[1] - 1):
        poor, rich = left.argmin(1), np.where(np.isinf(left), -1, left).argmax(1)
        keep[rows, poor], other[rows, poor] = left[rows, poor], rich
        left[rows, rich] -= 1 - left[rows, poor]
        left[rows, poor] = np.inf
    return keep, other
