"""Filter images with blur kernels, and sharpen them by an unsharp mask."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from dgsr.types import Images


def reflect_pad(images: Images, pad: int) -> Float[Tensor, "b 3 padded_h padded_w"]:
    """Mirror the images at their borders; where they are smaller than the border, mirror again."""
    if pad < min(images.shape[-2:]):
        return functional.pad(images, (pad, pad, pad, pad), mode="reflect")
    for axis in (-2, -1):
        side = images.shape[axis]
        steps = torch.arange(-pad, side + pad, device=images.device) % max(2 * side - 2, 1)
        images = images.index_select(axis, torch.minimum(steps, (2 * side - 2) - steps).clamp(min=0))
    return images


def filter2d(images: Images, kernel: Float[Tensor, "k k"]) -> Images:
    """Correlate every image with one kernel of odd size, mirroring at the borders."""
    batch, channels, height, width = images.shape
    padded = reflect_pad(images, kernel.shape[-1] // 2)
    planes = padded.reshape(batch * channels, 1, *padded.shape[-2:])
    return functional.conv2d(planes, kernel.to(images)[None, None]).reshape(batch, channels, height, width)


def sharpen(images: Images, weight: float = 0.5, size: int = 51, threshold_255: float = 10.0) -> Images:
    """Add back what a wide Gaussian takes away, softly masked to where that is more than the threshold.

    Source: the sharpened targets of Real-ESRGAN.
    """
    blur = _wide_gaussian(size).to(images)
    residual = images - _filter_separable(images, blur)
    mask = _filter_separable((residual.abs() * 255 > threshold_255).to(images), blur)
    return images.lerp((images + weight * residual).clamp(0, 1), mask)


def _wide_gaussian(size: int) -> Float[Tensor, " k"]:
    sigma = 0.15 * size + 0.35  # what OpenCV takes for a kernel of this size
    weights = torch.exp(-0.5 * ((torch.arange(size, dtype=torch.float64) - size // 2) / sigma) ** 2)
    return weights / weights.sum()


def _filter_separable(images: Images, weights: Float[Tensor, " k"]) -> Images:
    batch, channels, height, width = images.shape
    padded = reflect_pad(images, len(weights) // 2)
    planes = padded.reshape(batch * channels, 1, *padded.shape[-2:])
    rows = functional.conv2d(planes, weights[None, None, None])
    return functional.conv2d(rows, weights[None, None, :, None]).reshape(batch, channels, height, width)
