"""Test moments and limits of kernels; parity with BasicSR is tested with its backend."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dgsr.ops.kernels import equivalent_sigma, gaussian, generalized_gaussian, plateau, sinc

SIGMAS = st.floats(0.2, 3)


@given(st.sampled_from([7, 9, 15, 21]), SIGMAS, SIGMAS, st.floats(-math.pi, math.pi), st.floats(0.5, 4))
def test_kernels_sum_to_one_and_are_symmetric_about_the_centre(size, sigma_x, sigma_y, rotation, beta):
    shape = (size, sigma_x, sigma_y, rotation)
    for kernel in (gaussian(*shape), generalized_gaussian(*shape, beta), plateau(*shape, beta), sinc(size, sigma_x)):
        assert kernel.shape == (size, size)
        assert kernel.dtype == torch.float32
        assert abs(kernel.sum().item() - 1) < 1e-5
        torch.testing.assert_close(kernel, kernel.flip(0, 1), atol=1e-7, rtol=0)


def test_gaussian_has_the_given_covariance():
    kernel = gaussian(41, 3.0, 1.5, math.pi / 6).double()
    at = torch.arange(41) - 20.0
    y, x = torch.meshgrid(at, at, indexing="ij")
    turned = torch.tensor(
        [[math.cos(math.pi / 6), -math.sin(math.pi / 6)], [math.sin(math.pi / 6), math.cos(math.pi / 6)]]
    )
    expected = turned @ torch.diag(torch.tensor([9.0, 2.25])) @ turned.T
    measured = torch.tensor([[(kernel * p * q).sum() for q in (x, y)] for p in (x, y)]).float()
    torch.testing.assert_close(measured, expected, atol=1e-3, rtol=0)


def test_generalized_gaussian_with_beta_1_is_the_gaussian():
    torch.testing.assert_close(generalized_gaussian(15, 1.3, 0.7, 0.4, 1.0), gaussian(15, 1.3, 0.7, 0.4))


def test_plateau_falls_to_half_at_one_sigma():
    kernel = plateau(21, 3.0, 3.0, 0.0, 2.0)
    torch.testing.assert_close(kernel[10, 13] / kernel[10, 10], torch.tensor(0.5))


@pytest.mark.parametrize("cutoff", [0.8, 1.5, 2.5])
def test_sinc_passes_only_frequencies_below_its_cutoff(cutoff):
    response = torch.fft.fft2(sinc(99, cutoff)).abs()
    frequency = torch.fft.fftfreq(99) * 2 * math.pi
    radius = torch.hypot(frequency[:, None], frequency[None])
    assert response[radius < cutoff - 0.3].min() > 0.9
    assert response[(radius > cutoff + 0.3) & (radius < math.pi)].max() < 0.1


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_equivalent_sigma_of_a_gaussian_is_its_sigma(sigma):
    assert equivalent_sigma(gaussian(41, sigma, sigma)) == pytest.approx(sigma, rel=0.05)


def test_equivalent_sigma_of_the_identity_is_zero():
    assert equivalent_sigma(gaussian(7, 0.05, 0.05)) == 0
