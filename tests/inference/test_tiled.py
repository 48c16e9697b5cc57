"""Tiled is untiled, but for a hair: values, seams, sizes, depths, colour fixes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dgsr.data import bundled
from dgsr.inference import Upscaler
from dgsr.inference.tiled import ColorFix
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.resizing import resize
from dgsr.ops.tiling import spans
from tests import tiny

TILE = 256
GENERATORS: dict[str, Callable[[], OneStepGenerator]] = {
    "tiny": OneStepGenerator.tiny,
    "random": lambda: tiny.generator(tiny.backbone("v_prediction")),
}


@pytest.fixture(scope="module", params=GENERATORS)
def upscalers(request: pytest.FixtureRequest) -> Callable[..., Upscaler]:
    networks = GENERATORS[request.param]().eval(), DegradationEstimator.random(0)
    return lambda **settings: Upscaler(*networks, **settings)


def photo(height: int = 96, width: int = 96) -> Tensor:
    return resize(bundled("val")[0][None], (height, width), "area")[0]


@pytest.mark.parametrize("fix", ["wavelet", "adain", "none"])
def test_a_photograph_is_the_same_in_tiles(upscalers: Callable[..., Upscaler], fix: ColorFix) -> None:
    whole, tiled = (upscalers(color_fix=fix, tile=tile)(photo()) for tile in (0, TILE))
    assert (tiled - whole).abs().mean() < 2e-3
    assert 0 <= tiled.min() <= tiled.max() <= 1
    for direction in (lambda image: image, lambda image: image.mT):
        assert _seams(direction(tiled)) == pytest.approx(_seams(direction(whole)), rel=0.05)


def test_a_constant_image_is_the_same_in_tiles(upscalers: Callable[..., Upscaler]) -> None:
    lq = torch.tensor([0.4, 0.6, 0.3])[:, None, None].expand(3, 96, 96)
    whole, tiled = (upscalers(tile=tile)(lq) for tile in (0, TILE))
    assert (tiled - whole).abs().max() < 1e-3


def test_twice_is_the_same(upscalers: Callable[..., Upscaler]) -> None:
    upscaler = upscalers(tile=TILE, scale=3.3)
    assert torch.equal(upscaler(photo(70, 99)), upscaler(photo(70, 99)))


@pytest.mark.parametrize("fix", ["wavelet", "adain"])
def test_any_size_and_scale_into_bytes_that_are_there(upscalers: Callable[..., Upscaler], fix: ColorFix) -> None:
    upscaler = upscalers(tile=TILE, scale=2.7, color_fix=fix)
    lq = photo(61, 131)
    out = torch.zeros(165, 354, 3, dtype=torch.uint8).permute(2, 0, 1)
    upscaler.fill(out, lq)
    assert (out / 255 - upscaler(lq)).abs().max() < 1.2 / 255


def test_noise_of_the_posterior_follows_the_seed() -> None:
    generator = OneStepGenerator.tiny(posterior="sample").eval()
    same, again, other = (
        Upscaler(generator, DegradationEstimator.random(0), tile=TILE, seed=seed)(photo(70, 64)) for seed in (0, 0, 1)
    )
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


def _seams(image: Tensor) -> float:
    """Return the mean change of colour across the seams over that elsewhere."""
    change = (image[..., 1:] - image[..., :-1]).abs().mean(dim=(0, 1))
    seams = torch.zeros_like(change, dtype=torch.bool)
    seams[[8 * span.core_start - 1 for span in spans(48, TILE // 8, 16, 8)[1:]]] = True
    return float(change[seams].mean() / change[~seams].mean())
