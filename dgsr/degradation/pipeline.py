"""Apply a recipe to an image: one loop over its operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checks import expect
from dgsr.degradation import basicsr_backend
from dgsr.degradation.operators import (
    Blur,
    Encode,
    GaussianNoise,
    Jpeg,
    Operator,
    PoissonNoise,
    Rescale,
    Resize,
    Round,
    SaltPepper,
    Sharpen,
    Sinc,
)
from dgsr.degradation.recipe import Recipe
from dgsr.ops.codecs import encode_decode
from dgsr.ops.filtering import filter2d, sharpen
from dgsr.ops.jpeg import jpeg
from dgsr.ops.noise import gaussian_noise, poisson_noise, salt_and_pepper
from dgsr.ops.resizing import Resized, rescale, resize
from dgsr.seeds import torch_generator
from dgsr.types import Image, Images

Lq: TypeAlias = Float[Tensor, "3 lq_h lq_w"]
Backend: TypeAlias = Literal["dgsr", "basicsr"]


def apply(operator: Operator, images: Images) -> Resized:
    """Apply one operator to images around [0, 1]; noise is clamped, and so is what encoders get."""
    match operator:
        case Blur() | Sinc():
            return filter2d(images, operator.kernel)
        case Rescale(factor=factor, mode=mode):
            return rescale(images, factor, mode)
        case Resize(height=height, width=width, mode=mode):
            return resize(images, (height, width), mode)
        case GaussianNoise(sigma_255=sigma, grey=grey, seed=seed):
            return gaussian_noise(images, sigma, grey, torch_generator(seed, "noise", images.device)).clamp_(0, 1)
        case PoissonNoise(scale=scale, grey=grey, seed=seed):
            return poisson_noise(images, scale, grey, torch_generator(seed, "noise", images.device)).clamp_(0, 1)
        case SaltPepper(share=share, seed=seed):
            return salt_and_pepper(images, share, torch_generator(seed, "noise", images.device))
        case Jpeg(quality=quality, chroma_step=step):
            return jpeg(images, quality, step)
        case Encode(format=file_format, quality=quality):
            return encode_decode(images.clamp(0, 1), file_format, quality)
        case Sharpen():
            return sharpen(images)
        case Round():
            return (images * 255).round_().clamp_(0, 255).div_(255)


@torch.no_grad()
def degrade(hq: Image, recipe: Recipe, backend: Backend = "dgsr") -> Lq:
    """Turn `hq` in [0, 1] into `lq` in [0, 1]; all randomness comes from the recipe.

    Args:
        hq: The image; it may lie on any device, where the noise, and only that, differs from the CPU's.
        recipe: What to do, drawn for an image of this size.
        backend: Whose operators are applied: ours, or BasicSR's for comparison.

    Raises:
        UserError: The recipe was drawn for another size.
    """
    lq = hq
    for _, image in degrade_steps(hq, recipe, backend):
        lq = image
    return lq


@torch.no_grad()
def degrade_steps(hq: Image, recipe: Recipe, backend: Backend = "dgsr") -> Iterator[tuple[Operator, Lq]]:
    """Yield each operator of a recipe with the image after it; the last image is `lq`."""
    size = tuple(hq.shape[1:])
    expect(size == recipe.size, f"an image of the recipe's size {recipe.size}", size, "Draw a recipe for this image.")
    step = {"dgsr": apply, "basicsr": basicsr_backend.apply}[backend]
    images, last = hq[None], len(recipe.operators) - 1
    for place, operator in enumerate(recipe.operators):
        images = step(operator, images)
        yield operator, (images.clamp(0, 1) if place == last else images)[0]


@torch.no_grad()
def degraded_pair(hq: Image, recipe: Recipe, backend: Backend = "dgsr") -> tuple[Image, Lq]:
    """Return the image that a network should restore, which is `hq` or its sharpened self, and `lq`; see `degrade`."""
    target = lq = hq
    for operator, lq in degrade_steps(hq, recipe, backend):
        target = lq if isinstance(operator, Sharpen) else target
    return target, lq
