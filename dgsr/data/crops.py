"""Crop and flip photographs by the seed of the sample."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from dgsr.images import reflect_to
from dgsr.seeds import rng
from dgsr.types import Image


def random_crop(image: Image, side_px: int, seed: int) -> Float[Tensor, "3 {side_px} {side_px}"]:
    """Cut out a random square; smaller images are padded by reflection first."""
    padded = reflect_to(image[None], side_px, side_px)[0]
    draws = rng(seed, "crop")
    top = int(draws.integers(padded.shape[1] - side_px + 1))
    left = int(draws.integers(padded.shape[2] - side_px + 1))
    return padded[:, top : top + side_px, left : left + side_px]


def random_crop_of_pair(
    lq: Image, hq: Float[Tensor, "3 hq_h hq_w"], side_px: int, seed: int
) -> tuple[Float[Tensor, "3 lq_px lq_px"], Float[Tensor, "3 {side_px} {side_px}"]]:
    """Cut the same random square out of a pair, `side_px` wide in the high-quality image.

    The size of `hq` must be an integer multiple of that of `lq`, and at least `side_px`.
    """
    scale = hq.shape[1] // lq.shape[1]
    side, draws = side_px // scale, rng(seed, "crop")
    top, left = (int(draws.integers(length - side + 1)) for length in lq.shape[1:])
    hq_top, hq_left = top * scale, left * scale
    return (
        lq[:, top : top + side, left : left + side],
        hq[:, hq_top : hq_top + side_px, hq_left : hq_left + side_px],
    )


def random_flip(image: Image, seed: int) -> Image:
    """Flip horizontally, half the time."""
    return image.flip(2) if rng(seed, "flip").random() < 0.5 else image


def center_crop(image: Image, height: int, width: int) -> Float[Tensor, "3 {height} {width}"]:
    """Cut out the centre; smaller images are padded by reflection first."""
    padded = reflect_to(image[None], height, width)[0]
    top, left = (padded.shape[1] - height) // 2, (padded.shape[2] - width) // 2
    return padded[:, top : top + height, left : left + width]
