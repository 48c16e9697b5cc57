"""True strengths match blur and noise measured on images."""

from __future__ import annotations

import math

import pytest
import torch

from dgsr.degradation.operators import Blur, GaussianNoise, Jpeg, PoissonNoise, Rescale, Resize, SaltPepper, Sinc
from dgsr.degradation.strength import blur_px, noise_255


def test_variances_of_blurs_add_up():
    blurs = [Blur("gaussian", 41, 3.0, 3.0), Blur("gaussian", 41, 4.0, 4.0)]
    assert blur_px(blurs, (64, 64)) == pytest.approx(5.0, rel=0.02)


def test_a_blur_after_a_resize_counts_in_resized_pixels():
    blur = Blur("gaussian", 21, 2.0, 2.0)
    alone = blur_px([blur], (64, 64))
    assert blur_px([Rescale(0.5, "area"), blur], (64, 64)) == pytest.approx(2 * alone)
    assert blur_px([Rescale(0.7, "area"), Resize(16, 16, "area"), blur], (64, 64)) == pytest.approx(4 * alone)


def test_lower_cutoffs_blur_more():
    blurs = [blur_px([Sinc(21, cutoff)], (8, 8)) for cutoff in (0.7, 1.2, 2.0, 3.1)]
    assert blurs == sorted(blurs, reverse=True)
    assert blurs[1] == pytest.approx(math.sqrt(1 / 1.2**2 - 1 / (4 * math.pi)), rel=0.1)


@pytest.mark.parametrize("noise", [GaussianNoise(9.0, False, 1), SaltPepper(0.05, 1)], ids=str)
def test_noise_strength_matches_a_mid_grey_image(noise):
    measured = (noise.apply(torch.full((1, 3, 256, 256), 0.5)) - 0.5).std().item()
    assert measured * 255 == pytest.approx(noise_255([noise], (256, 256)), rel=0.03)


@pytest.mark.parametrize("grey", [False, True])
def test_poisson_noise_strength_matches_an_image_of_256_levels(grey):
    levels = (torch.arange(256 * 256) % 256).reshape(256, 256).float() / 255
    images, noise = levels.expand(1, 3, 256, 256).contiguous(), PoissonNoise(0.4, grey, 1)
    measured = (noise.apply(images) - images)[..., 120:136].std().item()
    assert measured * 255 == pytest.approx(noise_255([noise], (256, 256)), rel=0.03)


def test_other_operators_have_no_strength():
    assert blur_px([Jpeg(50.0), Resize(4, 4, "area")], (16, 16)) == 0
    assert noise_255([Jpeg(50.0), Blur("gaussian", 7, 1.0, 1.0)], (16, 16)) == 0


BLUR, NOISE = Blur("gaussian", 21, 1.5, 1.5), GaussianNoise(12.0, False, 1)


@pytest.mark.parametrize(
    "later",
    [
        [BLUR],
        [BLUR, Blur("gaussian", 21, 1.0, 1.0)],
        [Resize(64, 64, "area")],
        [Resize(96, 96, "bilinear")],
        [Resize(100, 100, "bicubic"), BLUR],
        [Rescale(0.53, "area"), Rescale(1.37, "bilinear"), Resize(61, 61, "bicubic")],
        [BLUR, Resize(64, 64, "bilinear"), GaussianNoise(3.0, False, 2), BLUR],
    ],
    ids=lambda operators: ", ".join(map(str, operators)),
)
def test_noise_strength_includes_smoothing_by_later_steps(later):
    images, operators = torch.full((1, 3, 256, 256), 0.5), [NOISE, *later]
    for operator in operators:
        images = operator.apply(images)
    assert (images - 0.5).std().item() * 255 == pytest.approx(noise_255(operators, (256, 256)), rel=0.25)
