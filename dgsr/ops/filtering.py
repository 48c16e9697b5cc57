"""Filter images with blur kernels, and sharpen them by an unsharp mask."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from dgsr.ops.kernels import gaussian
from dgsr.types import Images


def filter2d(images: Images, kernel: Float[Tensor, "*b k k"]) -> Images:
    """Correlate images with one kernel of odd size, or with one each, mirroring at the borders.

    Done by Fourier transforms: for the kernels of degradations this is faster than direct sums, and equal to 1e-6.
    """
    height, width = images.shape[-2:]
    padded = reflect_pad(images, kernel.shape[-1] // 2)
    size = (_fast_length(padded.shape[-2]), _fast_length(padded.shape[-1]))
    spectrum = torch.fft.rfft2(padded, s=size)
    spectrum *= torch.fft.rfft2(kernel.to(images), s=size).conj().unsqueeze(-3)
    return torch.fft.irfft2(spectrum, s=size)[..., :height, :width]


def reflect_pad(images: Images, pad: int) -> Float[Tensor, "b 3 padded_h padded_w"]:
    """Mirror the images at their borders; where they are smaller than the border, mirror again."""
    if pad < min(images.shape[-2:]):
        return functional.pad(images, (pad, pad, pad, pad), mode="reflect")
    for axis in (-2, -1):
        side = images.shape[axis]
        steps = torch.arange(-pad, side + pad, device=images.device) % max(2 * side - 2, 1)
        images = images.index_select(axis, torch.minimum(steps, (2 * side - 2) - steps).clamp(min=0))
    return images


@functools.cache
def _fast_length(length: int) -> int:
    """Return the next even length without prime factors above 5, for which Fourier transforms are fast."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1 and length % 2 == 0:
            return length
        length += 1


def sharpen(images: Images, weight: float = 0.5, size: int = 51, threshold_255: float = 10.0) -> Images:
    """Add back what a wide Gaussian takes away, softly masked to where that is more than the threshold.

    Source: the sharpened targets of Real-ESRGAN.
    """
    sigma = 0.15 * size + 0.35  # what OpenCV takes for a kernel of this size
    blur = gaussian(size, sigma, sigma)
    residual = images - filter2d(images, blur)
    mask = filter2d((residual.abs() * 255 > threshold_255).to(images), blur)
    return images.lerp((images + weight * residual).clamp(0, 1), mask)
