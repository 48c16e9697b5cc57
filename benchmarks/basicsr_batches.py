"""Apply recipes of many images with BasicSR in batches, which is its fastest mode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch.nn.functional import pad

from dgsr.degradation import Recipe, basicsr_backend
from dgsr.degradation.operators import Blur, GaussianNoise, Jpeg, Operator, PoissonNoise, Sinc
from dgsr.types import Images


@torch.no_grad()
def degrade_together(hq: Images, recipes: Sequence[Recipe]) -> list[Images]:
    """Apply all recipes step by step; operators of the same kind on images of the same size are batched."""
    images = list(hq.split(1))
    for step in range(max(len(recipe.operators) for recipe in recipes)):
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for place, recipe in enumerate(recipes):
            if step < len(recipe.operators):
                groups[_kind(recipe.operators[step]), images[place].shape].append(place)
        for members in groups.values():
            batch = images[members[0]] if len(members) == 1 else torch.cat([images[place] for place in members])
            results = apply_together([recipes[place].operators[step] for place in members], batch).split(1)
            for place, result in zip(members, results, strict=True):
                images[place] = result
    return [image.clamp(0, 1) for image in images]


def _kind(operator: Operator) -> Hashable:
    """Return a key that is equal for operators which can be batched; others must be equal to be batched."""
    match operator:
        case Blur() | Sinc():
            return "filter"
        case GaussianNoise() | PoissonNoise() | Jpeg():
            return type(operator)
        case _:
            return operator


@torch.no_grad()
def apply_together(operators: Sequence[Operator], images: Images) -> Any:
    """Apply one operator per image, all of the same kind; noise ignores the operators' seeds."""
    match operators[0]:
        case Blur() | Sinc():
            kernels = [basicsr_backend.kernel(operator) for operator in operators if isinstance(operator, Blur | Sinc)]
            size = max(len(kernel) for kernel in kernels)
            padded = [pad(kernel, 4 * [(size - len(kernel)) // 2]) for kernel in kernels]
            return basicsr_backend.leaf("utils/img_process_util").filter2D(images.contiguous(), torch.stack(padded))
        case GaussianNoise():
            sigma, grey = _column(operators, "sigma_255"), _column(operators, "grey")
            return basicsr_backend.degradations().add_gaussian_noise_pt(images, sigma, grey)
        case PoissonNoise():
            scale, grey = _column(operators, "scale"), _column(operators, "grey")
            return basicsr_backend.degradations().add_poisson_noise_pt(images, scale, gray_noise=grey)
        case Jpeg():
            return basicsr_backend.diff_jpeg(images.device)(images.clamp(0, 1), _column(operators, "quality"))
        case operator:
            return basicsr_backend.apply(operator, images)


def _column(operators: Sequence[Operator], name: str) -> torch.Tensor:
    return torch.tensor([float(getattr(operator, name)) for operator in operators])
