"""Depth, grey, transparency and profile survive; alpha is what bicubic interpolation gives."""

from __future__ import annotations

import pytest
import torch

from dgsr.images import from_pixels, to_pixels
from dgsr.inference import Upscaler
from dgsr.inference.rasters import enlarge_raster, upscale_raster, upscale_rasters
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.resizing import upsample
from dgsr.rasters import Raster


@pytest.fixture(scope="module", params=[0, 256], ids=["whole", "tiled"])
def upscaler(request: pytest.FixtureRequest) -> Upscaler:
    return Upscaler(OneStepGenerator.tiny(), DegradationEstimator.random(0), scale=2.5, tile=request.param)


def test_enlarging_alone_is_bicubic() -> None:
    raster = Raster(to_pixels(torch.rand(4, 301, 20), torch.uint16), b"profile")
    out = enlarge_raster(raster, 1.5)
    expected = upsample(from_pixels(raster.samples[:3])[None], 1.5)[0]
    torch.testing.assert_close(from_pixels(out.pixels), expected, atol=5e-5, rtol=0)
    assert (out.samples.shape, out.profile) == ((4, 452, 30), b"profile")


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_kinds_are_kept(upscaler: Upscaler, channels: int, dtype: torch.dtype) -> None:
    raster = Raster(to_pixels(torch.rand(channels, 21, 110), dtype), b"profile")
    out = upscale_raster(upscaler, raster)
    assert out.samples.shape == (channels, 52, 275)
    assert (out.samples.dtype, out.profile) == (dtype, b"profile")
    colour = upscaler(from_pixels(raster.pixels).expand(3, -1, -1))
    expected = colour if channels > 2 else colour.mean(dim=0, keepdim=True)
    torch.testing.assert_close(from_pixels(out.pixels), expected, atol=0.6 / torch.iinfo(dtype).max, rtol=0)
    if raster.alpha is not None and out.alpha is not None:
        enlarged = upsample(from_pixels(raster.alpha).expand(1, 3, -1, -1), 2.5)[0, :1]
        assert (from_pixels(out.alpha) - enlarged).abs().max() < max(0.6 / torch.iinfo(dtype).max, 2e-5)


def test_a_batch_of_several_kinds(upscaler: Upscaler) -> None:
    grey, colour = (Raster(to_pixels(torch.rand(count, 16, 20), torch.uint8)) for count in (2, 3))
    for raster, out in zip((grey, colour), upscale_rasters(upscaler, [grey, colour]), strict=True):
        difference = out.samples.int() - upscale_raster(upscaler, raster).samples.int()
        assert difference.abs().max() <= 1
