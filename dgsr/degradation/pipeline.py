"""Apply recipes to images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checks import expect
from dgsr.degradation import basicsr_backend
from dgsr.degradation.operators import Operator, Sharpen
from dgsr.degradation.recipe import Recipe
from dgsr.types import Image

Lq: TypeAlias = Float[Tensor, "3 lq_h lq_w"]
Backend: TypeAlias = Literal["dgsr", "basicsr"]


@torch.no_grad()
def degrade(hq: Image, recipe: Recipe, backend: Backend = "dgsr") -> Lq:
    """Turn `hq` in [0, 1] into `lq` in [0, 1]; all randomness comes from the recipe.

    Args:
        hq: The image, on any device; only the noise differs between kinds of device.
        recipe: A recipe drawn for the size of the image.
        backend: The implementation of the operators; `basicsr` is for comparison.

    Raises:
        UserError: The recipe was drawn for another size.
    """
    lq = hq
    for _, image in degrade_steps(hq, recipe, backend):
        lq = image
    return lq


@torch.no_grad()
def degrade_steps(hq: Image, recipe: Recipe, backend: Backend = "dgsr") -> Iterator[tuple[Operator, Lq]]:
    """Yield each operator of a recipe with the image after it; the last image is `lq`. See `degrade`."""
    size = tuple(hq.shape[1:])
    expect(size == recipe.size, f"an image of the recipe's size {recipe.size}", size, "Draw a recipe for this image.")
    images, last = hq[None], len(recipe.operators) - 1
    for place, operator in enumerate(recipe.operators):
        images = basicsr_backend.apply(operator, images) if backend == "basicsr" else operator.apply(images)
        yield operator, (images.clamp(0, 1) if place == last else images)[0]
    lq_size, remedy = tuple(images.shape[2:]), "Let extra operators keep the size of the image."
    expect(lq_size == recipe.lq_size, f"an lq of the recipe's size {recipe.lq_size}", lq_size, remedy)


@torch.no_grad()
def degraded_pair(hq: Image, recipe: Recipe, backend: Backend = "dgsr") -> tuple[Image, Lq]:
    """Return the training target, which is `hq` or its sharpened version, and `lq`. See `degrade`."""
    target = lq = hq
    for operator, lq in degrade_steps(hq, recipe, backend):
        target = lq if isinstance(operator, Sharpen) else target
    return target, lq
