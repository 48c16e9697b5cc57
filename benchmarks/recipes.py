"""Load photographs and draw recipes for the benchmark, independently per sample or suitable for batches."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import TypeAlias

import torch

from dgsr.data import bundled
from dgsr.data.crops import center_crop
from dgsr.degradation import Recipe, Spec, draw
from dgsr.degradation.operators import Blur, Operator, Rescale, Resize, Sinc
from dgsr.types import Images

Size: TypeAlias = tuple[int, int]


def photographs(count: int, side_px: int) -> Images:
    """Return centre crops of the first bundled photographs."""
    source = bundled("train")
    return torch.stack([center_crop(source[index], side_px, side_px) for index in range(count)])


def drawn_each(spec: Spec, seed: int, size: Size, count: int) -> list[Recipe]:
    """Draw an independent recipe for every sample, as in training."""
    return [draw(spec, seed * count + place, size) for place in range(count)]


def drawn_together(spec: Spec, seed: int, size: Size, count: int) -> list[Recipe]:
    """Draw recipes with equal steps and sizes but different parameters, as in BasicSR's batches."""
    first, *others = drawn_each(spec, seed, size, count)
    donors = (itertools.chain(recipe.operators, _more(spec, seed + place, size)) for place, recipe in enumerate(others))
    return [first, *(_refilled(first, donor) for donor in donors)]


def _more(spec: Spec, seed: int, size: Size) -> Iterator[Operator]:
    for another in itertools.count(10**6 * (seed + 1)):
        yield from draw(spec, another, size).operators


def _refilled(recipe: Recipe, donor: Iterator[Operator]) -> Recipe:
    """Replace every operator except resizes by the donor's next operator of the same kind."""
    return dataclasses.replace(recipe, operators=tuple(_next(operator, donor) for operator in recipe.operators))


def _next(operator: Operator, donor: Iterator[Operator]) -> Operator:
    if isinstance(operator, Rescale | Resize):
        return operator
    kinds = (Blur, Sinc) if isinstance(operator, Blur | Sinc) else type(operator)
    return next(other for other in donor if isinstance(other, kinds))
