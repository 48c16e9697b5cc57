"""Test JPEG against Pillow's encoder, and its properties."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from dgsr.ops.jpeg import jpeg


def picture(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Return a synthetic 8-bit photograph: smooth muted colours with grain."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 4, height // 8 + 2, width // 8 + 2, generator=generator)
    clouds = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    grain = 0.02 * torch.randn(1, 1, height, width, generator=generator)
    return ((0.8 * clouds[:, 3:] + 0.2 * clouds[:, :3] + grain).clamp(0, 1) * 255).round() / 255


@pytest.mark.parametrize("size", [(64, 96), (80, 48)])
@pytest.mark.parametrize("quality", [20, 50, 75, 90, 95])
def test_loss_equals_that_of_pillow_within_one_grey_level(quality, size):
    # Single pixels differ more: DiffJPEG, which this equals, transposes the luma table and repeats chroma pixels.
    images = picture(*size)
    file = io.BytesIO()
    pixels = (images[0] * 255).byte().permute(1, 2, 0).numpy()
    Pillow.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    theirs = torch.from_numpy(np.asarray(Pillow.open(file)).copy()).permute(2, 0, 1) / 255
    ours = jpeg(images, float(quality))[0]
    losses = [(result - images[0]).abs().mean() * 255 for result in (ours, theirs)]
    assert abs(losses[0] - losses[1]) < 1
    assert (ours.mean((1, 2)) - theirs.mean((1, 2))).abs().max() * 255 < 0.5


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (16, 16), (17, 40), (33, 15)])
def test_grey_images_survive_quality_100(size):
    grey = picture(*size).mean(1, keepdim=True).expand(1, 3, *size)
    torch.testing.assert_close(jpeg(grey, 100.0), grey, atol=5e-4, rtol=0)


def test_error_falls_with_quality():
    images = picture(64, 64)
    errors = [(jpeg(images, float(quality)) - images).square().mean().item() for quality in range(5, 101, 5)]
    assert errors == sorted(errors, reverse=True)


@settings(deadline=None)
@given(st.floats(1, 100), st.sampled_from(["black", "white", "grey", "checkers", "noise"]), st.integers(1, 40))
def test_jpeg_is_finite_and_in_range(quality, kind, side):
    images = {
        "black": torch.zeros(1, 3, side, side),
        "white": torch.ones(1, 3, side, side),
        "grey": torch.full((1, 3, side, side), 0.5),
        "checkers": ((torch.arange(side)[:, None] + torch.arange(side)) % 2).float().expand(1, 3, side, side),
        "noise": torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(side)),
    }[kind]
    result = jpeg(images, quality)
    assert result.shape == images.shape
    assert result.isfinite().all()
    assert result.min() >= 0
    assert result.max() <= 1


def test_images_of_a_batch_are_independent():
    images = torch.cat([picture(40, 24, seed) for seed in range(3)])
    apart = torch.cat([jpeg(image[None], 40.0) for image in images])
    torch.testing.assert_close(jpeg(images, 40.0), apart, atol=1e-6, rtol=0)


def test_full_chroma_loses_less_than_halved_chroma():
    images = torch.rand(1, 3, 33, 40, generator=torch.Generator().manual_seed(0))
    assert (jpeg(images, 100.0, 1) - images).abs().max() < 1e-3 < (jpeg(images, 100.0, 2) - images).abs().mean()
