"""Every operator matches BasicSR 1.4.2."""

from __future__ import annotations

import math
import sys
from typing import Any

import pytest
import torch
from scipy import stats

from dgsr.checks import UserError
from dgsr.degradation import basicsr_backend, degrade, draw, preset
from dgsr.degradation.operators import (
    Blur,
    Encode,
    GaussianNoise,
    Jpeg,
    PoissonNoise,
    Rescale,
    Resize,
    Round,
    Sharpen,
    Sinc,
)

SIZES = [(1, 40, 56), (3, 33, 47)]
SHAPES = [(1.3, 1.3, 0.0), (1.5, 0.3, 0.7), (0.2, 3.0, -2.5)]
BLURS = [
    Blur(kind, size, *shape, beta)
    for kind in ("gaussian", "generalized", "plateau")
    for size in (7, 15, 21)
    for shape in SHAPES
    for beta in (0.5, 1.0, 2.0)
]
SINCS = [Sinc(size, cutoff) for size in (7, 13, 21) for cutoff in (math.pi / 5, 1.5, math.pi)]


@pytest.fixture(autouse=True)
def _basicsr():
    pytest.importorskip("cv2")
    if basicsr_backend.importlib.util.find_spec("basicsr") is None:
        pytest.skip("basicsr is not installed")


def pictures(batch: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    """Return smooth random images with grain, similar to photographs."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, 3, height // 8 + 2, width // 8 + 2, generator=generator)
    clouds = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    return (clouds + 0.03 * torch.randn(clouds.shape, generator=generator)).clamp(0, 1)


@torch.no_grad()
def both(operator, images):
    return operator.apply(images.clone()), basicsr_backend.apply(operator, images.clone())


@pytest.mark.parametrize("operator", [*BLURS, *SINCS], ids=str)
def test_kernels(operator):
    torch.testing.assert_close(operator.kernel, basicsr_backend.kernel(operator), atol=1e-6, rtol=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("operator", [*BLURS[::7], *SINCS[::2]], ids=str)
def test_filters(operator, size):
    ours, theirs = both(operator, pictures(*size))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["area", "bilinear", "bicubic"])
def test_resizes(mode, size):
    for operator in (Rescale(0.347, mode), Rescale(1.289, mode), Resize(17, 22, mode), Resize(60, 61, mode)):
        ours, theirs = both(operator, pictures(*size))
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("quality", [1.0, 10.0, 30.0, 49.9, 50.0, 75.3, 90.0, 99.0])
def test_jpeg_up_to_rounding_ties(quality):
    differences = [
        torch.sub(*both(Jpeg(quality), pictures(*size, seed))).abs()
        for seed in range(4)
        for size in ((1, 200, 301), (2, 128, 96), (1, 33, 17))
    ]
    # The order of summation depends on the processor, so a coefficient on a rounding tie may change its block.
    assert torch.stack([(each > 1e-4).float().mean() for each in differences]).mean() <= 2e-3
    assert torch.stack([each.mean() for each in differences]).mean() <= 2e-6


def test_sharpen_and_round():
    images = pictures(2, 64, 80)
    torch.testing.assert_close(*both(Sharpen(), images), atol=1e-5, rtol=0)
    torch.testing.assert_close(*both(Round(), images), atol=1e-7, rtol=0)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("kind", ["gaussian", "poisson"])
def test_noise_has_the_same_distribution(kind, grey):
    # Levels around 1/2 avoid clamping, and distinct values give Poisson noise of 256 levels.
    levels = torch.arange(0.3, 0.7, 1 / 255).repeat(5000)[: 577**2]
    images = levels.reshape(1, 1, 577, 577).expand(1, 3, 577, 577)
    operator = GaussianNoise(11.0, grey, 7) if kind == "gaussian" else PoissonNoise(0.8, grey, 7)
    ours, theirs = (result - images for result in both(operator, images.contiguous()))
    for noise in (ours, theirs):
        assert ((noise[:, 0] - noise[:, 1]).abs().max().item() < 1e-6) == grey
    values = [(noise[:, :1] if grey else noise).flatten().numpy() for noise in (ours, theirs)]
    compared: Any = stats.ks_2samp(values[0], values[1])
    assert compared.pvalue > 1e-3
    assert values[0].mean() == pytest.approx(values[1].mean(), abs=3e-4)
    assert values[0].var() == pytest.approx(values[1].var(), rel=0.01)


def test_a_whole_recipe_without_noise_gives_the_same_image():
    images = pictures(1, 128, 160)
    for seed in range(6):
        recipe = draw(preset("s3diff"), seed, (128, 160))
        ours = theirs = images
        for operator in recipe.operators:
            if not isinstance(operator, GaussianNoise | PoissonNoise):
                ours, theirs = operator.apply(ours), basicsr_backend.apply(operator, theirs).detach()
        assert (ours - theirs).abs().mean() < 1e-3  # a rounding tie changes one block


def test_results_are_reproducible_and_the_global_generator_is_untouched():
    recipe, image = draw(preset("s3diff"), 5, (64, 64)), pictures(1, 64, 64)[0]
    before = torch.random.get_rng_state()
    lq = degrade(image, recipe, backend="basicsr")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert lq.shape == (3, 16, 16)
    assert torch.equal(lq, degrade(image, recipe, backend="basicsr"))
    assert "basicsr" not in sys.modules


def test_operators_that_basicsr_lacks_are_refused():
    with pytest.raises(UserError, match="an operator that BasicSR has, but got AVIF 50"):
        basicsr_backend.apply(Encode("avif", 50.0), torch.rand(1, 3, 8, 8))


def test_missing_basicsr_is_one_clear_sentence(monkeypatch):
    basicsr_backend.leaf.cache_clear()
    monkeypatch.setattr(basicsr_backend.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"basicsr 1\.4\.2.*README\.md"):
        basicsr_backend.apply(Sharpen(), torch.rand(1, 3, 8, 8))
