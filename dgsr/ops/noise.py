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
_CHUNK = 2**16  # so many pixels at a time stay in a processor's cache
_LUMA = (0.2989, 0.587, 0.114)


def gaussian_noise(images: Images, sigma_255: float, grey: bool, generator: torch.Generator) -> Images:
    """Add white noise of a standard deviation in grey levels, equal in the three channels if grey; unclamped."""
    batch, channels, height, width = images.shape
    shape = (batch, 1 if grey else channels, height, width)
    noise = torch.randn(shape, generator=generator, dtype=images.dtype, device=images.device)
    return torch.add(images, noise, alpha=sigma_255 / 255)


def salt_and_pepper(images: Images, share: float, generator: torch.Generator) -> Images:
    """Turn a share of all pixels white or black, half and half."""
    draw = torch.rand(images[:, :1].shape, generator=generator, device=images.device)
    return images.masked_fill(draw < share / 2, 0.0).masked_fill(draw >= 1 - share / 2, 1.0)


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
    levels = (light * 255).round_().clamp_(0, 255).flatten()
    seen = torch.zeros(_LEVELS, dtype=torch.bool, device=image.device).index_fill_(0, levels.long(), True)
    power = seen.sum().log2().ceil().int()
    stay, other = (table.index_select(0, power[None])[0] for table in _alias_tables(image.device))
    noise = torch.empty_like(levels)
    for level, out in zip(levels.split(_CHUNK), noise.split(_CHUNK), strict=True):
        draw = torch.rand(level.shape, generator=generator, device=image.device) * _COUNTS
        count = draw.floor()
        cell = torch.add(count, level, alpha=_COUNTS).int()
        count = torch.where(draw < stay.index_select(0, cell), count, other.index_select(0, cell))
        torch.sub(count / 2**power, level, alpha=1 / 255, out=out)
    return torch.add(image, noise.view_as(light), alpha=scale)


@functools.cache
def _alias_tables(device: torch.device) -> tuple[Float[Tensor, "powers cells"], Float[Tensor, "powers cells"]]:
    """Tabulate the Poisson distribution of every level and every power of two for Walker's alias method.

    A uniform number in [0, counts) picks a count, its whole part. Below that cell's number in the first table the
    count stays, else the second table's takes its place. Unlike tabulated quantiles, this is exact in the tails.
    """
    photons = torch.outer(2.0 ** torch.arange(9), torch.arange(_LEVELS) / (_LEVELS - 1)).double().reshape(-1, 1)
    counts = torch.arange(_COUNTS)
    mass = torch.exp(torch.xlogy(counts, photons) - photons - torch.lgamma(counts.double() + 1))
    share, other = _alias((mass / mass.mean(1, keepdim=True)).numpy())
    tables = (np.arange(_COUNTS) + share, other)
    stay, other = (torch.from_numpy(table).float().reshape(9, -1).to(device) for table in tables)
    return stay, other


def _alias(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split rows of mean 1 into cells of mass 1 that hold at most two entries, all rows side by side.

    The next poor entry is filled up from the current rich one, which is the next poor one once it has less than 1.
    Source: Walker 1977, in the form of Vose 1991.
    """
    rows, width = np.arange(len(mass)), mass.shape[1]
    share, other = mass.copy(), np.tile(np.arange(width), (len(mass), 1))
    order = mass.argsort(1)
    poor, rich = order[:, 0], order[:, -1]
    next_poor, next_rich = np.full(len(mass), 1), np.full(len(mass), width - 2)
    for _ in range(width - 1):
        other[rows, poor] = rich
        share[rows, rich] -= 1 - share[rows, poor]
        spent = share[rows, rich] < 1
        poor, rich = np.where(spent, (rich, order[rows, next_rich]), (order[rows, next_poor], rich))
        next_poor, next_rich = next_poor + ~spent, next_rich - spent
    return share, other
