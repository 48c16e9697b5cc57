"""How strong a degradation is: the truth that an estimator of degradation is to find."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dgsr.degradation.operators import Filter, GaussianNoise, Operator, PoissonNoise, Rescale, Resize, SaltPepper
from dgsr.ops.kernels import equivalent_sigma

#: The noise of scale 1 at brightness 1/2 of an image of 256 levels, in grey levels.
POISSON_255 = 255 * math.sqrt(0.5 / 256)

#: Of the interpolations that look at the nearest pixels only, whatever the factor; on average over their phases.
_INTERPOLATION = {"bilinear": 0.10, "bicubic": 0.03}


def blur_px(operators: Iterable[Operator], size: tuple[int, int]) -> float:
    """Return the standard deviation, in pixels of `hq`, of one Gaussian as strong as all filters together.

    Each filter counts as the Gaussian that lets as much of white noise through; variances add up. A filter behind a
    resize counts in the pixels of its place, which are larger or smaller than those of `hq`.
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
    """Return the standard deviation of the noise that is left in the degraded image, in grey levels.

    Filters and resizes behind a noise smooth it, the less the smoother it is already: it is followed as white noise
    behind one Gaussian. What compression takes away is not counted.

    Args:
        operators: In their order.
        size: Height and width of the image they begin with.
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
                # What averages over disjoint pixels smooths nothing in the pixels behind it.
                smoothed, height = (both if interpolates else smoothed) * factor**2, height * factor
            case GaussianNoise() | PoissonNoise() | SaltPepper():
                added = _variance(operator)
                smoothed *= power / (power + added) if power + added else 0.0
                power += added
    return math.sqrt(power)


def _smooth(power: float, smoothed: float, variance: float) -> tuple[float, float]:
    """Return the power that a further Gaussian leaves, and the variance of both together."""
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
