"""Compute the true strength of a degradation, the target of degradation estimators."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dgsr.degradation.operators import Filter, GaussianNoise, Operator, PoissonNoise, Rescale, Resize, SaltPepper
from dgsr.ops.kernels import equivalent_sigma

#: Standard deviation of Poisson noise of scale 1 at brightness 1/2 of an image with 256 levels, in grey levels.
POISSON_255 = 255 * math.sqrt(0.5 / 256)

#: Variance of the Gaussian as strong as an interpolation of the nearest pixels, averaged over phases; in pixels².
_INTERPOLATION = {"bilinear": 0.10, "bicubic": 0.03}


def blur_px(operators: Iterable[Operator], size: tuple[int, int]) -> float:
    """Return the standard deviation, in pixels of `hq`, of one Gaussian as strong as all filters together.

    Each filter counts as the Gaussian that passes the same power of white noise; variances add up. A filter after a
    resize counts in the pixels of the resized image.
    """
    variance, pixel = 0.0, 1.0
    for operator in operators:
        match operator:
            case Filter():
                variance += (pixel * equivalent_sigma(operator.kernel)) ** 2
            case Rescale(factor=factor):
                pixel /= factor
            case Resize(height=height):
                pixel = size[0] / height
    return math.sqrt(variance)


def noise_255(operators: Iterable[Operator], size: tuple[int, int]) -> float:
    """Return the standard deviation of the noise in the degraded image, in grey levels.

    Filters and resizes smooth the noise before them, which is modelled as white noise filtered by one Gaussian. The
    effect of compression is not counted.

    Args:
        operators: The operators, first to last.
        size: Height and width of the image before the first.
    """
    power, smoothed, height = 0.0, 0.0, float(size[0])  # variance of the noise, and of the Gaussian in its pixels
    for operator in operators:
        match operator:
            case Filter():
                power, smoothed = _smooth(power, smoothed, equivalent_sigma(operator.kernel) ** 2)
            case Rescale() | Resize():
                factor = operator.factor if isinstance(operator, Rescale) else operator.height / height
                interpolates = operator.mode in _INTERPOLATION and factor != 1
                variance = _INTERPOLATION[operator.mode] if interpolates else _average(factor)
                power, both = _smooth(power, smoothed, variance)
                # An average over disjoint pixels leaves the resulting pixels uncorrelated.
                smoothed, height = (both if interpolates else smoothed) * factor**2, height * factor
            case GaussianNoise() | PoissonNoise() | SaltPepper():
                added = _variance(operator)
                smoothed *= power / (power + added) if power + added else 0.0
                power += added
    return math.sqrt(power)


def _smooth(power: float, smoothed: float, variance: float) -> tuple[float, float]:
    """Return the power of the noise after another Gaussian, and the variance of both Gaussians together."""
    both = smoothed + variance
    return power * (1 + 4 * math.pi * smoothed) / (1 + 4 * math.pi * both), both


def _average(factor: float) -> float:
    """Return the variance of the Gaussian as strong as an average over 1 / factor² pixels."""
    return max(0.0, factor**-2 - 1) / (4 * math.pi)


def _variance(noise: GaussianNoise | PoissonNoise | SaltPepper) -> float:
    match noise:
        case GaussianNoise(sigma_255=sigma):
            return sigma**2
        case PoissonNoise(scale=scale):
            return (scale * POISSON_255) ** 2
        case SaltPepper(share=share):
            return share * (255 / 2) ** 2
