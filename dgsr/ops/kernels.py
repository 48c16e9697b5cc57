"""Compute blur kernels that sum to one, in float64."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

Kernel = Float[Tensor, "k k"]


def _axis(size: int) -> Float[Tensor, " k"]:
    assert size % 2 == 1, f"kernel sizes must be odd, got {size}"
    return torch.arange(size, dtype=torch.float64) - size // 2


def _squared_distance(size: int, sigma_x: float, sigma_y: float, rotation: float) -> Kernel:
    """Return the squared Mahalanobis distance of each pixel from the centre, with axes rotated by `rotation`."""
    y, x = torch.meshgrid(_axis(size), _axis(size), indexing="ij")
    along = x * math.cos(rotation) + y * math.sin(rotation)
    across = y * math.cos(rotation) - x * math.sin(rotation)
    return (along / sigma_x) ** 2 + (across / sigma_y) ** 2


def _normalised(kernel: Kernel) -> Kernel:
    return (kernel / kernel.sum()).float()


def gaussian(size: int, sigma_x: float, sigma_y: float, rotation: float = 0.0) -> Kernel:
    """Return an anisotropic Gaussian, with standard deviations in pixels and a rotation in radians.

    >>> round(gaussian(21, 2.0, 2.0)[10, 10].item(), 4)
    0.0398
    """
    return _normalised(torch.exp(-0.5 * _squared_distance(size, sigma_x, sigma_y, rotation)))


def generalized_gaussian(size: int, sigma_x: float, sigma_y: float, rotation: float, beta: float) -> Kernel:
    """Return a generalised Gaussian, whose squared distance is raised to `beta`: flatter above 1, more pointed below.

    Source: Pascal et al., Parameter estimation for multivariate generalized Gaussian distributions.
    """
    return _normalised(torch.exp(-0.5 * _squared_distance(size, sigma_x, sigma_y, rotation) ** beta))


def plateau(size: int, sigma_x: float, sigma_y: float, rotation: float, beta: float) -> Kernel:
    """Return the plateau-shaped kernel 1 / (1 + d^2beta), with a flat top and heavy tails."""
    return _normalised(1 / (1 + _squared_distance(size, sigma_x, sigma_y, rotation) ** beta))


def sinc(size: int, cutoff: float) -> Kernel:
    """Return the ideal circular low-pass filter, truncated to a square; it causes ringing and overshoot.

    Args:
        size: Side in pixels, odd.
        cutoff: Cutoff frequency in radians per pixel, at most pi.
    """
    radius = torch.sqrt(_squared_distance(size, 1.0, 1.0, 0.0))
    kernel = cutoff * torch.special.bessel_j1(cutoff * radius) / (2 * math.pi * radius)
    kernel[size // 2, size // 2] = cutoff**2 / (4 * math.pi)
    return _normalised(kernel)


def equivalent_sigma(kernel: Kernel) -> float:
    """Return the standard deviation of the Gaussian that passes the same energy of white noise.

    It is defined for all kernels, also those with negative lobes, and is 0 for the identity.

    >>> round(equivalent_sigma(gaussian(21, 2.0, 2.0)), 2)
    1.98
    """
    energy = kernel.double().square().sum().item()
    return math.sqrt(max(0.0, 1 / energy - 1) / (4 * math.pi))
