"""Test distributions of noise; parity with BasicSR is tested with its backend."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dgsr.ops.noise import _alias_tables, gaussian_noise, poisson_noise, salt_and_pepper


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramp(side: int) -> torch.Tensor:
    """Return an image with all 256 levels, so that Poisson noise counts 256 photons at white."""
    levels = torch.arange(256).repeat(side * side // 256).reshape(side, side) / 255
    return levels.expand(1, 3, side, side).contiguous()


def test_gaussian_noise_has_the_given_sigma():
    noise = gaussian_noise(torch.full((1, 3, 256, 256), 0.5), 12.0, False, generator()) - 0.5
    assert stats.kstest(noise.flatten().numpy()[::2] * 255 / 12, "norm").pvalue > 1e-3
    assert abs(noise[0, 0].flatten() @ noise[0, 1].flatten() / 65536 / (12 / 255) ** 2) < 0.02


@pytest.mark.parametrize("level", [3, 40, 128, 255])
@pytest.mark.parametrize("grey", [False, True])
def test_poisson_noise_is_poisson_distributed(level, grey):
    images = ramp(256)
    images[..., 128:, :] = level / 255
    noise = poisson_noise(images, 1.0, grey, generator(level))[..., 128:, :] - level / 255
    counts = (noise[:, :1] if grey else noise).flatten() * 256 + 256 * level / 255
    torch.testing.assert_close(counts, counts.round(), atol=1e-3, rtol=0)
    mean = 256 * level / 255
    values = torch.arange(int(stats.poisson.ppf(1e-3, mean)), int(stats.poisson.ppf(1 - 1e-3, mean)))
    observed = torch.stack([(counts.round() == value).sum() for value in values]).double()
    expected = torch.from_numpy(stats.poisson.pmf(values.numpy(), mean)) * len(counts)
    rest = [len(counts) - observed.sum(), len(counts) - expected.sum()]
    chi = ((observed - expected) ** 2 / expected).sum() + (rest[0] - rest[1]) ** 2 / rest[1]
    assert stats.chi2.sf(chi.item(), len(values)) > 1e-4


@pytest.mark.parametrize("num_levels", [1, 2, 3, 30, 200])
def test_poisson_noise_grows_with_fewer_levels(num_levels):
    levels = torch.linspace(0, 255, num_levels + 1)[1:].round() / 255
    images = levels[torch.arange(3 * 128 * 128) % num_levels].reshape(1, 3, 128, 128)
    noise = poisson_noise(images, 0.7, False, generator()) - images
    photons = 2 ** (num_levels - 1).bit_length()
    assert noise.var().item() == pytest.approx(0.49 * images.mean().item() / photons, rel=0.05)


@pytest.mark.parametrize("add", [gaussian_noise, poisson_noise])
def test_grey_noise_is_equal_in_all_channels_and_zero_strength_adds_nothing(add):
    images = torch.rand(2, 3, 20, 30)
    noise = add(images, 1.0, True, generator()) - images
    torch.testing.assert_close(noise[:, :1].expand_as(noise), noise, atol=1e-6, rtol=0)
    assert noise.abs().max() > 0
    assert torch.equal(add(images, 0.0, False, generator()), images)


@pytest.mark.parametrize("grey", [False, True])
def test_poisson_noise_does_not_depend_on_memory_layout(grey):
    images = torch.rand(2, 3, 20, 30)
    turned = images.mT.contiguous().mT
    assert torch.equal(poisson_noise(turned, 1.0, grey, generator()), poisson_noise(images, 1.0, grey, generator()))


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 3), st.booleans(), st.integers(1, 9), st.integers(0, 2**40))
def test_noise_is_finite_and_a_function_of_its_seed(level, scale, grey, side, seed):
    images = torch.full((1, 3, side, side), level)
    images[..., 0, 0] = 1.0 - level
    for add in (gaussian_noise, poisson_noise):
        noisy = add(images, scale, grey, generator(seed))
        assert noisy.isfinite().all()
        assert torch.equal(noisy, add(images, scale, grey, generator(seed)))


def test_alias_tables_hold_the_poisson_distribution():
    cells = _alias_tables(torch.device("cpu")).reshape(9, 256, 512).long()
    share = ((cells >> 10) + 1).double() / 2**21
    other = torch.arange(512) + (cells & 1023) - 512
    mass = share.scatter_add(2, other, 1 - share) / 512
    photons = 2.0 ** np.arange(9)[:, None, None] * np.arange(256)[:, None] / 255
    expected = torch.from_numpy(stats.poisson.pmf(np.arange(512), photons))
    torch.testing.assert_close(mass, expected, atol=2e-8, rtol=0)
    assert not mass[expected < 1e-10].any()  # no bright pixels in dark areas


def test_salt_and_pepper_changes_the_given_share_of_pixels():
    noisy = salt_and_pepper(torch.full((2, 3, 200, 200), 0.5), 0.1, generator())
    assert torch.equal(noisy[:, 0], noisy[:, 2])
    for value in (0.0, 1.0):
        assert (noisy == value).double().mean().item() == pytest.approx(0.05, rel=0.1)
