"""Tiled is untiled, but for a hair: values, seams, sizes, depths, colour fixes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from dgsr.data import bundled
from dgsr.inference import Upscaler
from dgsr.inference.tiled import OVERLAP_PX, ColorFix
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


ESTIMATOR = DegradationEstimator.random(0)


@pytest.fixture(scope="module", params=GENERATORS)
def generator(request: pytest.FixtureRequest) -> OneStepGenerator:
    return GENERATORS[request.param]().eval()


def photo(height: int, width: int) -> Tensor:
    return resize(bundled("val")[0][None], (height, width), "area")[0]


@pytest.mark.parametrize("fix", ["wavelet", "adain"])
def test_a_photograph_is_the_same_in_tiles(generator: OneStepGenerator, fix: ColorFix) -> None:
    lq = photo(32, 90)
    whole, tiled = (Upscaler(generator, ESTIMATOR, color_fix=fix, tile=tile)(lq) for tile in (0, TILE))
    assert (tiled - whole).abs().mean() < 1e-3
    assert 0 <= tiled.min() <= tiled.max() <= 1
    assert _seams(tiled) == pytest.approx(_seams(whole), rel=0.05)


def test_a_constant_image_is_the_same_in_tiles(generator: OneStepGenerator) -> None:
    lq = torch.tensor([0.4, 0.6, 0.3])[:, None, None].expand(3, 32, 90)
    whole, tiled = (Upscaler(generator, ESTIMATOR, tile=tile)(lq) for tile in (0, TILE))
    assert (tiled - whole).abs().mean() < 1e-4
    assert (tiled - whole).abs().max() < 0.01  # of random networks, which pass on what a tile's border adds


@pytest.mark.parametrize("fix", ["wavelet", "adain", "none"])
def test_any_size_and_scale_into_existing_pixels(fix: ColorFix) -> None:
    upscaler = Upscaler(GENERATORS["tiny"](), ESTIMATOR, tile=192, scale=2.7, color_fix=fix)
    lq, out = photo(23, 80), torch.zeros(62, 216, 3, dtype=torch.uint8).permute(2, 0, 1)
    upscaler.fill(out, lq)
    assert (out / 255 - upscaler(lq)).abs().max() < 1.5 / 255


def test_noise_of_the_posterior_follows_the_seed() -> None:
    sampling = OneStepGenerator.tiny(posterior="sample").eval()
    lq = photo(16, 60)
    same, again, other = (Upscaler(sampling, ESTIMATOR, tile=192, seed=seed)(lq) for seed in (0, 0, 1))
    assert torch.equal(same, again)
    assert not torch.equal(same, other)


def test_progress_is_reported_after_every_tile() -> None:
    shares: list[float] = []
    Upscaler(GENERATORS["tiny"]().eval(), ESTIMATOR, tile=TILE, on_progress=shares.append)(photo(16, 70))
    assert len(shares) > 3
    assert shares == pytest.approx([(at + 1) / len(shares) for at in range(len(shares))])


def _seams(image: Tensor) -> float:
    """Return the mean change of colour across the seams over that elsewhere."""
    change = (image[..., 1:] - image[..., :-1]).abs().mean(dim=(0, 1))
    seams = torch.zeros_like(change, dtype=torch.bool)
    seams[[8 * span.core_start - 1 for span in spans(48, TILE // 8, OVERLAP_PX // 8)[1:]]] = True
    return float(change[seams].mean() / change[~seams].mean())
