"""Cut training crops out of photographs, by the sample's seed."""

from __future__ import annotations

from dgsr.images import reflect_to
from dgsr.seeds import rng
from dgsr.types import Image


def random_crop(image: Image, side_px: int, seed: int) -> Image:
    """Cut a random square; images that are smaller are reflected first."""
    image = reflect_to(image[None], side_px, side_px)[0]
    draws = rng(seed, "crop")
    top = int(draws.integers(image.shape[1] - side_px + 1))
    left = int(draws.integers(image.shape[2] - side_px + 1))
    return image[:, top : top + side_px, left : left + side_px]


def random_flip(image: Image, seed: int) -> Image:
    """Mirror left and right, half the time."""
    return image.flip(2) if rng(seed, "flip").random() < 0.5 else image


def center_crop(image: Image, height: int, width: int) -> Image:
    """Cut the middle; images that are smaller are reflected first."""
    image = reflect_to(image[None], height, width)[0]
    top, left = (image.shape[1] - height) // 2, (image.shape[2] - width) // 2
    return image[:, top : top + height, left : left + width]
