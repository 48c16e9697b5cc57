"""Add sensor noise to images in [0, 1]; the numbers come from the caller's generator."""

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
_COUNTS = 512  # above 16 standard deviations of the brightest level: what lies beyond has no measurable probability
_SHARE_BITS, _STEP_BITS = 21, 10
_SHARE, _STEP = 2**_SHARE_BITS - 1, 2**_STEP_BITS - 1
_PART_PX = 2**15  # what is worked on at a time stays in the cache, and few calls are needed
_LUMA = (0.2989, 0.587, 0.114)

Pixels: TypeAlias = Float[Tensor, "3 n"]


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
    noisy = torch.empty_like(images, memory_format=torch.contiguous_format)  # written through flat views
    for image, out in zip(images.flatten(2), noisy.flatten(2), strict=True):
        _poisson_one(image, scale, grey, generator, out)
    return noisy


def _poisson_one(image: Pixels, scale: float, grey: bool, generator: torch.Generator, out: Pixels) -> None:
    """Go over the image twice, to count its levels and to add noise, a part at a time that a cache holds."""
    parts = image.split(_PART_PX, 1)
    power = torch.stack([_histogram(_levels(part, grey)) for part in parts]).any(0).sum().log2().ceil()
    table, photon = _alias_tables(image.device).index_select(0, power[None].int())[0], torch.exp2(-power)
    for part, noisy in zip(parts, out.split(_PART_PX, 1), strict=True):
        level = _levels(part, grey)
        noise = _counts(level.flatten(), table, generator).mul_(photon).view_as(level).sub_(level, alpha=1 / 255)
        torch.add(part, noise, alpha=scale, out=noisy)


def _levels(pixels: Pixels, grey: bool) -> Float[Tensor, "c n"]:
    light = constant(_LUMA, pixels.device)[None] @ pixels if grey else pixels
    return (light * 255).round_().clamp_(0, 255)


def _histogram(levels: Float[Tensor, "c n"]) -> Shaped[Tensor, " 256"]:
    """Count the levels; on a GPU without waiting for it, as `bincount` would."""
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
    leaves = (cell >> _STEP_BITS).sub_(draw.bitwise_and_(_SHARE)).bitwise_right_shift_(31)  # all bits, or none
    return count.add_(cell.bitwise_and_(_STEP).sub_(_COUNTS).bitwise_and_(leaves)).to(level.dtype)


def _random_bits(number: int, generator: torch.Generator) -> Int32[Tensor, " n"]:
    """Draw whole numbers of 30 bits, two from each of the generator's of 63."""
    words = torch.empty((number + 1) // 2, dtype=torch.int64, device=generator.device).random_(generator=generator)
    return words.view(torch.int32)[:number].bitwise_and_((_COUNTS << _SHARE_BITS) - 1)


@functools.cache
def _alias_tables(device: torch.device) -> Int32[Tensor, "powers cells"]:
    """Tabulate the Poisson distribution of every level and every power of two for Walker's alias method.

    The upper bits of a random number pick a cell, a count; the lower bits leave it when they are above the last that
    stays, and go a step to another count. A cell holds this last one and, in its lowest bits, the step, raised by the
    number of counts to be positive. Unlike tabulated quantiles, this is exact in the tails.
    """
    photons = torch.outer(2.0 ** torch.arange(9), torch.arange(_LEVELS).double() / (_LEVELS - 1)).reshape(-1, 1)
    counts = torch.arange(_COUNTS)
    mass = torch.exp(torch.xlogy(counts, photons) - photons - torch.lgamma(counts.double() + 1))
    share, other = _alias((mass / mass.mean(1, keepdim=True)).numpy())
    last = np.rint(share.clip(0, 1) * 2**_SHARE_BITS).astype(np.int64) - 1
    step = other - counts.numpy() + _COUNTS
    return torch.from_numpy(((last << _STEP_BITS) + step).astype(np.int32)).reshape(9, -1).to(device)


def _alias(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split rows of mean 1 into cells of mass 1 that hold at most two entries, all rows side by side.

    The next poor entry is filled up from the current rich one, which is the next poor one once it has less than 1.
    Source: Walker 1977, in the form of Vose 1991.
    """
    rows, width = np.arange(len(mass)), mass.shape[1]
    share, other = mass.copy(), np.tile(np.arange(width), (len(mass), 1))
    order = mass.argsort(1, kind="stable")  # else processors differ in what they make of ties, and noise with them
    poor, rich = order[:, 0], order[:, -1]
    next_poor, next_rich = np.full(len(mass), 1), np.full(len(mass), width - 2)
    for _ in range(width - 1):
        other[rows, poor] = rich
        share[rows, rich] -= 1 - share[rows, poor]
        spent = share[rows, rich] < 1
        poor, rich = np.where(spent, (rich, order[rows, next_rich]), (order[rows, next_poor], rich))
        next_poor, next_rich = next_poor + ~spent, next_rich - spent
    return share, other
