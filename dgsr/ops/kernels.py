"""Blur kernels as tensors that sum to one, computed in float64 from their parameters."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

Kernel = Float[Tensor, "k k"]


def _axis(size: int) -> Float[Tensor, " k"]:
    assert size % 2 == 1, f"kernels have a centre, hence odd sizes, not {size}"
    return torch.arange(size, dtype=torch.float64) - size // 2


def _squared_distance(size: int, sigma_x: float, sigma_y: float, rotation: float) -> Kernel:
    """Measure the squared Mahalanobis distance of each pixel from the centre; the x axis turns by the rotation."""
    y, x = torch.meshgrid(_axis(size), _axis(size), indexing="ij")
    along = x * math.cos(rotation) + y * math.sin(rotation)
    across = y * math.cos(rotation) - x * math.sin(rotation)
    return (along / sigma_x) ** 2 + (across / sigma_y) ** 2


def _normalised(kernel: Kernel) -> Kernel:
    return (kernel / kernel.sum()).float()


def gaussian(size: int, sigma_x: float, sigma_y: float, rotation: float = 0.0) -> Kernel:
    """Return a Gaussian of two standard deviations in pixels, turned by an angle in radians.

    >>> round(gaussian(21, 2.0, 2.0)[10, 10].item(), 4)
    0.0398
    """
    return _normalised(torch.exp(-0.5 * _squared_distance(size, sigma_x, sigma_y, rotation)))


def generalized_gaussian(size: int, sigma_x: float, sigma_y: float, rotation: float, beta: float) -> Kernel:
    """Return a Gaussian whose squared distance is raised to beta: flatter above 1, more pointed below.

    Source: Pascal et al., Parameter estimation for multivariate generalized Gaussian distributions.
    """
    return _normalised(torch.exp(-0.5 * _squared_distance(size, sigma_x, sigma_y, rotation) ** beta))


def plateau(size: int, sigma_x: float, sigma_y: float, rotation: float, beta: float) -> Kernel:
    """Return 1 / (1 + d^2beta), a flat top with heavy tails."""
    return _normalised(1 / (1 + _squared_distance(size, sigma_x, sigma_y, rotation) ** beta))


def sinc(size: int, cutoff: float) -> Kernel:
    """Return the ideal circular low-pass filter, cut to a square; it rings and overshoots.

    Args:
        size: The odd number of pixels on a side.
        cutoff: The highest frequency that passes, in radians per pixel; at pi all but the corners do.
    """
    radius = torch.sqrt(_squared_distance(size, 1.0, 1.0, 0.0))
    kernel = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * math.pi * radius)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * math.pi)
    return _normalised(kernel)


def equivalent_sigma(kernel: Kernel) -> float:
    """Return the standard deviation of the Gaussian that lets equally much of white noise through.

    It is defined for every kernel, also for those with negative lobes, and 0 for the identity.

    >>> round(equivalent_sigma(gaussian(21, 2.0, 2.0)), 2)
    1.98
    """
    energy = kernel.double().square().sum().item()
    return math.sqrt(max(0.0, 1 / energy - 1) / (4 * math.pi))
