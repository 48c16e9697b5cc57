"""Filter images with blur kernels, and sharpen them with an unsharp mask."""

from __future__ import annotations

import functools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from dgsr.ops.kernels import Kernel, gaussian
from dgsr.types import Images

_NEGLIGIBLE = 5e-7  # total weight that may be dropped; no pixel in [0, 1] changes by more
_WIDEST_DIRECT = 15  # beyond this size Fourier transforms are faster
_STRIP_ROWS = 32
_BAND = 16


def filter2d(images: Images, kernel: Kernel) -> Images:
    """Correlate images with a kernel of odd size, mirroring at the borders.

    Negligible borders of the kernel are cut off. Separable kernels, such as isotropic Gaussians, are applied along the
    two axes, other small ones by direct convolution and large ones by FFT, whichever is fastest. The three methods
    agree to 1e-6.
    """
    kernel = _cut(kernel)
    column, row = kernel.sum(1), kernel.sum(0) / kernel.sum()
    if (torch.outer(column, row) - kernel).abs().sum() < _NEGLIGIBLE:
        return _along_axes(images, *(weights.to(images, non_blocking=True) for weights in (column, row)))
    kernel = kernel.to(images, non_blocking=True)
    return _direct(images, kernel) if len(kernel) <= _WIDEST_DIRECT else _by_fft(images, kernel)


def _cut(kernel: Kernel) -> Float[Tensor, "cut cut"]:
    """Cut off the outer rings whose weights together are negligible."""
    size = len(kernel)
    offset = (torch.arange(size, device=kernel.device) - size // 2).abs()
    ring = torch.maximum(offset, offset[:, None]).flatten()
    sums = kernel.new_zeros(size // 2 + 1).index_add_(0, ring, kernel.abs().flatten())
    spare = int((sums[1:].flip(0).cumsum(0) <= _NEGLIGIBLE).sum())
    return kernel[spare : size - spare, spare : size - spare]


def _along_axes(images: Images, column: Float[Tensor, " k"], row: Float[Tensor, " k"]) -> Images:
    """Apply a separable kernel as products of overlapping windows with band matrices; faster than convolution."""
    height, width = images.shape[-2:]
    windows = (-(-height // _BAND), -(-width // _BAND))
    bands = [_band(weights).expand(number, -1, -1) for weights, number in zip((column, row), windows, strict=True)]
    padded = reflect_pad(images, len(row) // 2, (windows[0] * _BAND + len(row) - 1, windows[1] * _BAND + len(row) - 1))
    filtered = []
    for plane in padded.flatten(0, 1):
        plane = torch.bmm(bands[0], plane.unfold(0, bands[0].shape[2], _BAND).mT).flatten(0, 1)
        plane = torch.bmm(plane.unfold(1, bands[1].shape[2], _BAND).transpose(0, 1), bands[1].mT)
        filtered.append(plane.transpose(0, 1).flatten(1))
    return torch.stack(filtered).view(*images.shape[:2], -1, windows[1] * _BAND)[..., :height, :width]


def _band(weights: Float[Tensor, " k"]) -> Float[Tensor, "band span"]:
    """Return a band matrix that holds the weights in each row, shifted by one column per row."""
    return functional.pad(weights, (0, _BAND)).repeat(_BAND)[:-_BAND].view(_BAND, -1)


def _direct(images: Images, kernel: Kernel) -> Images:
    """Convolve strips of the images as channels: the fast CPU convolution processes 16 channels at a time."""
    batch, channels, height, width = images.shape
    size = len(kernel)
    strips = max(1, height // _STRIP_ROWS)
    rows = -(-height // strips)
    padded = reflect_pad(images, size // 2, (strips * rows + size - 1, width + size - 1))
    planes = padded.unfold(2, rows + size - 1, rows).transpose(3, 4).reshape(1, -1, rows + size - 1, width + size - 1)
    weights = kernel.expand(planes.shape[1], 1, size, size)
    filtered = functional.conv2d(planes, weights, groups=len(weights))
    return filtered.view(batch, channels, strips * rows, width)[:, :, :height]


def _by_fft(images: Images, kernel: Kernel) -> Images:
    height, width = images.shape[-2:]
    radius = kernel.shape[-1] // 2
    size = (_fast_length(height + 2 * radius), _fast_length(width + 2 * radius))
    spectrum = torch.fft.rfft2(reflect_pad(images, radius, size))
    spectrum *= torch.fft.rfft2(kernel, s=size).conj()
    return torch.fft.irfft2(spectrum, s=size)[..., :height, :width]


def reflect_pad(images: Images, before: int, size: tuple[int, int]) -> Float[Tensor, "b 3 padded_h padded_w"]:
    """Mirror images at their borders to a size, starting at offset `before`; small images are mirrored repeatedly."""
    height, width = images.shape[-2:]
    below, right = size[0] - before - height, size[1] - before - width
    if max(before, below) < height and max(before, right) < width:
        return functional.pad(images, (before, right, before, below), mode="reflect")
    for axis, length in ((-2, size[0]), (-1, size[1])):
        side = images.shape[axis]
        steps = (torch.arange(length, device=images.device) - before) % max(2 * side - 2, 1)
        images = images.index_select(axis, torch.minimum(steps, (2 * side - 2) - steps).clamp(min=0))
    return images


@functools.cache
def _fast_length(length: int) -> int:
    """Return the next even length without prime factors above 5, for which FFTs are fast."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1 and length % 2 == 0:
            return length
        length += 1


def sharpen(images: Images, weight: float = 0.5, size: int = 51, threshold_255: float = 10.0) -> Images:
    """Sharpen images in [0, 1] with an unsharp mask, limited to residuals above the threshold.

    Source: `usm_sharp` of Real-ESRGAN.
    """
    sigma = 0.15 * size + 0.35  # OpenCV's default for a kernel of this size
    blur = gaussian(size, sigma, sigma)
    residual = images - filter2d(images, blur)
    mask = filter2d((residual.abs() * 255 > threshold_255).to(images), blur)
    return images.lerp((images + weight * residual).clamp(0, 1), mask)
