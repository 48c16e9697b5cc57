"""Differentiable augmentation of the images that discriminators and perceptual losses compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch.nn.functional import affine_grid, grid_sample, pad

from dgsr.ops.precision import at_least_fp32, in_full
from dgsr.seeds import rng
from dgsr.types import Image, Images, Seeds

Augmentation: TypeAlias = Literal["color", "translation", "cutout", "affine"]


def augment(images: Images, seeds: Seeds, kinds: Sequence[Augmentation]) -> Images:
    """Augment each image as a function of its seed, so that an image and its restoration are augmented alike.

    Args:
        images: Images in [-1, 1]; the result may exceed that range.
        seeds: The samples' seeds.
        kinds: Augmentations in order of application: color (brightness, saturation, contrast), translation (by up to an
            eighth of the side, padded with zeros), cutout (zeros in a window of half the side), affine (rotation by up
            to 20 degrees, scale of 0.8 to 1.25 and a subpixel shift, mirrored at the borders).

    Source: the first three of Zhao et al., Differentiable augmentation for data-efficient GAN training, Sec. 3.2, with
    the ranges of its program; affine after Kettunen et al., E-LPIPS, Sec. 3.2, with different ranges.
    """
    if not kinds:
        return images
    changed = []
    for image, seed in zip(images, seeds, strict=True):
        for kind in kinds:
            image = _KINDS[kind](image, rng(int(seed), f"augmentation/{kind}"))
        changed.append(image)
    return torch.stack(changed)


def _color(image: Image, draw: np.random.Generator) -> Image:
    brightness, saturation, contrast = draw.uniform(-0.5, 0.5), draw.uniform(0, 2), draw.uniform(0.5, 1.5)
    image = image + brightness
    grey = image.mean(dim=0, keepdim=True)
    image = grey + saturation * (image - grey)
    return image.mean() + contrast * (image - image.mean())


def _translation(image: Image, draw: np.random.Generator) -> Image:
    height, width = image.shape[-2:]
    down, right = (int(draw.integers(-reach, reach, endpoint=True)) for reach in (round(height / 8), round(width / 8)))
    return pad(image, (right, -right, down, -down))


def _cutout(image: Image, draw: np.random.Generator) -> Image:
    height, width = image.shape[-2:]
    kept = torch.ones_like(image[:1])
    # The centre is anywhere in the image, so that a part of the window may be outside.
    rows, columns = (_window(int(draw.integers(side, endpoint=True)), side) for side in (height, width))
    kept[:, rows, columns] = 0
    return image * kept


def _affine(image: Image, draw: np.random.Generator) -> Image:
    height, width = image.shape[-2:]
    turn, scale = math.radians(draw.uniform(-20, 20)), math.exp(draw.uniform(-1, 1) * math.log(1.25))
    right, down = draw.uniform(-1, 1) / width, draw.uniform(-1, 1) / height
    cos, sin = math.cos(turn) / scale, math.sin(turn) / scale
    matrix = [[cos, -sin * height / width, right], [sin * width / height, cos, down]]
    image = at_least_fp32(image)
    with in_full(image.device):  # autocast would round the grid, by whole pixels in an image of 512²
        grid = affine_grid(image.new_tensor([matrix]), [1, *image.shape], align_corners=False)
        return grid_sample(image[None], grid, mode="bicubic", padding_mode="reflection", align_corners=False)[0]


def _window(centre: int, side: int) -> slice:
    return slice(max(0, centre - side // 4), centre - side // 4 + side // 2)


_KINDS = {"color": _color, "translation": _translation, "cutout": _cutout, "affine": _affine}
