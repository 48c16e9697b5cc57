"""How strong a degradation is: the truth that an estimator of degradation is to find."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dgsr.degradation.operators import Blur, GaussianNoise, Operator, PoissonNoise, Rescale, Resize, SaltPepper, Sinc
from dgsr.ops.kernels import equivalent_sigma

#: The noise of scale 1 at brightness 1/2 of an image of 256 levels, in grey levels.
POISSON_255 = 255 * math.sqrt(0.5 / 256)


def blur_px(operators: Iterable[Operator], size: tuple[int, int]) -> float:
    """Return the standard deviation, in pixels of `hq`, of one Gaussian as strong as all filters together.

    Each filter counts as the Gaussian that lets as much of white noise through; variances add up. A filter behind a
    resize counts in the pixels of its place, which are larger or smaller than those of `hq`.
    """
    variance, pixel = 0.0, 1.0
    for operator in operators:
        match operator:
            case Blur() | Sinc():
                variance += (pixel * equivalent_sigma(operator.kernel())) ** 2
            case Rescale(factor=factor):
                pixel /= factor
            case Resize(height=height):
                pixel = size[0] / height
    return math.sqrt(variance)


def noise_255(operators: Iterable[Operator]) -> float:
    """Return the standard deviation of all noise together, in grey levels, as if each were still there in full."""
    variance = 0.0
    for operator in operators:
        match operator:
            case GaussianNoise(sigma_255=sigma):
                variance += sigma**2
            case PoissonNoise(scale=scale):
                variance += (scale * POISSON_255) ** 2
            case SaltPepper(share=share):
                variance += share * (255 / 2) ** 2
    return math.sqrt(variance)
