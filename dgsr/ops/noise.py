"""Add noise to images in [0, 1], drawn from the caller's generator."""

from __future__ import annotations

import functools
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Int32, Shaped
from torch import Tensor

from dgsr.ops.constants import constant
from dgsr.types import Images

_LEVELS = 256
_COUNTS = 512  # 16 standard deviations above the brightest level; larger counts have negligible probability
_SHARE_BITS, _STEP_BITS = 21, 10
_SHARE, _STEP = 2**_SHARE_BITS - 1, 2**_STEP_BITS - 1
_CHUNK_PX = 2**15  # fits into the CPU cache, and keeps the number of calls small
_LUMA = (0.2989, 0.587, 0.114)

Pixels: TypeAlias = Float[Tensor, "3 n"]


def gaussian_noise(images: Images, sigma_255: float, grey: bool, generator: torch.Generator) -> Images:
    """Add white Gaussian noise, the same in all channels if `grey`; sigma is in levels of 255; unclamped."""
    batch, channels, height, width = images.shape
    shape = (batch, 1 if grey else channels, height, width)
    noise = torch.randn(shape, generator=generator, dtype=images.dtype, device=images.device)
    return torch.add(images, noise, alpha=sigma_255 / 255)


def salt_and_pepper(images: Images, share: float, generator: torch.Generator) -> Images:
    """Set a share of all pixels to white or black with equal probability."""
    draw = torch.rand(images[:, :1].shape, generator=generator, device=images.device)
    return images.masked_fill(draw < share / 2, 0.0).masked_fill(draw >= 1 - share / 2, 1.0)


def poisson_noise(images: Images, scale: float, grey: bool, generator: torch.Generator) -> Images:
    """Add Poisson noise, multiplied by a scale and the same in all channels if `grey`; the result is not clamped.

    White corresponds to v photons, where v is the number of distinct 8-bit values of the image, rounded up to a power
    of two. So the noise at brightness x has the standard deviation scale * sqrt(x / v).
    """
    noisy = torch.empty_like(images, memory_format=torch.contiguous_format)  # written through flat views
    for image, out in zip(images.flatten(2), noisy.flatten(2), strict=True):
        _poisson_one(image, scale, grey, generator, out)
    return noisy


def _poisson_one(image: Pixels, scale: float, grey: bool, generator: torch.Generator, out: Pixels) -> None:
    """Count the levels of an image, then add noise, both in chunks that fit into the CPU cache."""
    parts = image.split(_CHUNK_PX, 1)
    power = torch.stack([_histogram(_levels(part, grey)) for part in parts]).any(0).sum().log2().ceil()
    table, photon = _alias_tables(image.device).index_select(0, power[None].int())[0], torch.exp2(-power)
    for part, noisy in zip(parts, out.split(_CHUNK_PX, 1), strict=True):
        level = _levels(part, grey)
        noise = _counts(level.flatten(), table, generator).mul_(photon).view_as(level).sub_(level, alpha=1 / 255)
        torch.add(part, noise, alpha=scale, out=noisy)


def _levels(pixels: Pixels, grey: bool) -> Float[Tensor, "c n"]:
    light = constant(_LUMA, pixels.device)[None] @ pixels if grey else pixels
    return (light * 255).round_().clamp_(0, 255)


def _histogram(levels: Float[Tensor, "c n"]) -> Shaped[Tensor, " 256"]:
    """Count the pixels of each level; on a GPU with `histc`, because `bincount` would synchronise."""
    if levels.device.type == "cpu":
        return torch.bincount(levels.int().flatten(), minlength=_LEVELS)
    return torch.histc(levels, _LEVELS, 0, _LEVELS)


def _counts(
    level: Float[Tensor, " n"], table: Int32[Tensor, " cells"], generator: torch.Generator
) -> Float[Tensor, " n"]:
    """Draw the number of photons of each pixel."""
    draw = _random_bits(len(level), generator)
    count = draw >> _SHARE_BITS
    cell = table.index_select(0, torch.add(count, level.int(), alpha=_COUNTS))
    leaves = (cell >> _STEP_BITS).sub_(draw.bitwise_and_(_SHARE)).bitwise_right_shift_(31)  # all ones or all zeros
    return count.add_(cell.bitwise_and_(_STEP).sub_(_COUNTS).bitwise_and_(leaves)).to(level.dtype)


def _random_bits(number: int, generator: torch.Generator) -> Int32[Tensor, " n"]:
    """Draw integers of 30 bits, two from each 63-bit draw of the generator."""
    words = torch.empty((number + 1) // 2, dtype=torch.int64, device=generator.device).random_(generator=generator)
    return words.view(torch.int32)[:number].bitwise_and_((_COUNTS << _SHARE_BITS) - 1)


@functools.cache
def _alias_tables(device: torch.device) -> Int32[Tensor, "powers cells"]:
    """Tabulate the Poisson distribution of every level and every power of two for Walker's alias method.

    The upper bits of a random number select a cell, that is a count. If the lower bits exceed the cell's threshold, the
    result is another count, its alias. A cell stores the threshold in its upper bits and, in its lower bits, the step
    to the alias plus the number of counts, so that it is positive. Unlike tabulated quantiles, the tails are exact.
    """
    photons = torch.outer(2.0 ** torch.arange(9), torch.arange(_LEVELS).double() / (_LEVELS - 1)).reshape(-1, 1)
    counts = torch.arange(_COUNTS)
    mass = torch.exp(torch.xlogy(counts, photons) - photons - torch.lgamma(counts.double() + 1))
    share, other = _alias((mass / mass.mean(1, keepdim=True)).numpy())
    last = np.rint(share.clip(0, 1) * 2**_SHARE_BITS).astype(np.int64) - 1
    step = other - counts.numpy() + _COUNTS
    return torch.from_numpy(((last << _STEP_BITS) + step).astype(np.int32)).reshape(9, -1).to(device)


def _alias(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the thresholds and aliases of Walker's alias method, for rows of mean 1, all rows in parallel.

    Each entry below 1 is filled up from an entry above 1, which is filled up itself once it falls below 1.
    Source: Walker 1977, in the form of Vose 1991.
    """
    rows, width = np.arange(len(mass)), mass.shape[1]
    share, other = mass.copy(), np.tile(np.arange(width), (len(mass), 1))
    order = mass.argsort(1, kind="stable")  # otherwise the order of ties, and the noise, would depend on the CPU
    poor, rich = order[:, 0], order[:, -1]
    next_poor, next_rich = np.full(len(mass), 1), np.full(len(mass), width - 2)
    for _ in range(width - 1):
        other[rows, poor] = rich
        share[rows, rich] -= 1 - share[rows, poor]
        spent = share[rows, rich] < 1
        poor, rich = np.where(spent, (rich, order[rows, next_rich]), (order[rows, next_poor], rich))
        next_poor, next_rich = next_poor + ~spent, next_rich - spent
    return share, other
