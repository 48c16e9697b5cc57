"""Test filtering against SciPy, and sharpening against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from dgsr.ops.filtering import _along_axes, _by_fft, _cut, _direct, filter2d, reflect_pad, sharpen
from dgsr.ops.kernels import gaussian, plateau, sinc

KERNELS = {
    "narrow": gaussian(21, 0.2, 0.2),
    "round": gaussian(21, 1.5, 1.5),
    "turned": gaussian(15, 1.4, 0.3, 0.8),
    "heavy": plateau(21, 1.5, 0.6, -2.0, 0.6),
    "sinc": sinc(21, 1.1),
    "lopsided": torch.rand(9, 9, generator=torch.Generator().manual_seed(0)) / 40,
    "identity": gaussian(7, 0.05, 0.05),
}


@pytest.mark.parametrize("size", [(1, 64, 96), (3, 33, 47), (2, 5, 8), (1, 1, 1)])
@pytest.mark.parametrize("name", KERNELS)
def test_filter2d_equals_scipy_correlation_with_mirrored_borders(name, size):
    batch, height, width = size
    images, kernel = torch.rand(batch, 3, height, width), KERNELS[name]
    theirs = ndimage.correlate(images.double().numpy(), kernel.double().numpy()[None, None], mode="mirror")
    torch.testing.assert_close(filter2d(images, kernel).double(), torch.from_numpy(theirs), atol=1e-5, rtol=0)


@pytest.mark.parametrize("pad", [0, 2, 9, 25])
def test_reflect_pad_equals_numpy(pad):
    images = torch.rand(2, 3, 4, 6)
    around = ((0, 0), (0, 0), (pad, pad + 3), (pad, pad))
    padded = reflect_pad(images, pad, (4 + 2 * pad + 3, 6 + 2 * pad))
    assert np.array_equal(padded.numpy(), np.pad(images.numpy(), around, mode="reflect"))


@settings(deadline=None)
@given(st.sampled_from(sorted(KERNELS)), st.floats(0, 1), st.integers(1, 40), st.integers(1, 40))
def test_constant_images_are_unchanged(name, level, height, width):
    images = torch.full((1, 3, height, width), level)
    torch.testing.assert_close(filter2d(images, KERNELS[name] / KERNELS[name].sum()), images, atol=1e-5, rtol=0)


def test_sharpen_equals_opencv_unsharp_mask():
    image = torch.nn.functional.interpolate(torch.rand(1, 3, 12, 15), size=(96, 120), mode="bilinear")
    theirs = image[0].permute(1, 2, 0).numpy()
    blurred = cv2.GaussianBlur(theirs, (51, 51), 0)
    residual = theirs - blurred
    mask = cv2.GaussianBlur((np.abs(residual) * 255 > 10).astype("float32"), (51, 51), 0)
    theirs = mask * np.clip(theirs + 0.5 * residual, 0, 1) + (1 - mask) * theirs
    torch.testing.assert_close(sharpen(image)[0].permute(1, 2, 0), torch.from_numpy(theirs), atol=1e-5, rtol=0)


def test_sharpen_leaves_constant_images_unchanged():
    images = torch.full((1, 3, 60, 60), 0.4)
    torch.testing.assert_close(sharpen(images), images)


@pytest.mark.parametrize("size", [(2, 1, 9), (1, 31, 40), (2, 64, 33), (1, 97, 20)])
@pytest.mark.parametrize("kernel_size", [1, 3, 15])
def test_all_methods_of_filtering_agree(kernel_size, size):
    batch, height, width = size
    images, kernel = torch.rand(batch, 3, height, width), torch.rand(kernel_size, kernel_size)
    kernel /= kernel.sum()
    torch.testing.assert_close(_direct(images, kernel), _by_fft(images, kernel), atol=1e-6, rtol=0)
    column, row = kernel.sum(1), kernel[0] / kernel[0].sum()
    along = _along_axes(images, column, row)
    torch.testing.assert_close(along, _by_fft(images, torch.outer(column, row)), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("sigma", "expected"), [(0.05, 1), (0.2, 3), (0.7, 7), (5.0, 21)])
def test_negligible_borders_of_kernels_are_cut(sigma, expected):
    kernel = gaussian(21, sigma, sigma)
    cut = _cut(kernel)
    assert cut.shape == (expected, expected)
    spare = (21 - expected) // 2
    assert torch.equal(torch.nn.functional.pad(cut, (spare,) * 4).nonzero(), (kernel * _centre(spare)).nonzero())
    assert kernel.sum() - cut.sum() <= 1.1e-6


def _centre(spare: int) -> torch.Tensor:
    centre = torch.zeros(21, 21)
    centre[spare : 21 - spare, spare : 21 - spare] = 1
    return centre
