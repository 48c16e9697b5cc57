"""Test resizing against OpenCV, and its invariants."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from dgsr.checks import UserError
from dgsr.ops.resizing import MODES, rescale, resize, upsample, upsample_at


@pytest.mark.parametrize("size", [(10, 14), (21, 17), (40, 30)])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_resize_equals_opencv(mode, size):
    images = torch.rand(2, 3, 20, 15)
    flag = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[mode]
    theirs = [cv2.resize(i.permute(1, 2, 0).numpy(), size[::-1], interpolation=flag) for i in images]
    ours = resize(images, size, mode).permute(0, 2, 3, 1)
    torch.testing.assert_close(ours, torch.from_numpy(np.stack(theirs)), atol=1e-5, rtol=0)


def test_area_is_the_mean_of_each_cell():
    images = torch.rand(2, 3, 12, 8)
    cells = images.reshape(2, 3, 4, 3, 4, 2).mean((3, 5))
    torch.testing.assert_close(resize(images, (4, 4), "area"), cells)


@pytest.mark.parametrize("mode", MODES)
def test_same_size_is_the_identity(mode):
    images = torch.rand(1, 3, 7, 9)
    assert torch.equal(resize(images, (7, 9), mode), images)
    assert torch.equal(rescale(images, 1.0, mode), images)


def test_rescale_places_samples_by_the_factor():
    ramp = torch.arange(100.0).expand(1, 3, 4, 100)
    ours = rescale(ramp, 0.293, "bilinear")
    assert ours.shape == (1, 3, 1, 29)
    torch.testing.assert_close(ours[0, 0, 0], (torch.arange(29) + 0.5) / 0.293 - 0.5)


def test_upsample_stays_in_range_and_keeps_constants():
    checkers = (torch.arange(6)[:, None] + torch.arange(5)[None] & 1).float().expand(2, 3, 6, 5)
    lq_up = upsample(checkers, 4)
    assert lq_up.shape == (2, 3, 24, 20)
    assert lq_up.min() >= 0
    assert lq_up.max() <= 1
    torch.testing.assert_close(upsample(torch.full((1, 3, 4, 4), 0.3), 4), torch.full((1, 3, 16, 16), 0.3))


def test_resize_refuses_an_empty_size():
    with pytest.raises(UserError, match="at least one pixel"):
        resize(torch.rand(1, 3, 4, 4), (0, 2), "area")


@pytest.mark.parametrize("scale", [1, 1.37, 4, 7.6])
def test_upsample_at_equals_upsample(scale: float) -> None:
    lq = torch.rand(1, 3, 37, 53)
    whole = upsample(lq, scale)
    size = (whole.shape[-2], whole.shape[-1])
    assert size == (round(37 * scale), round(53 * scale))
    rows, columns = torch.arange(size[0] // 3, size[0]), torch.tensor([size[1] - 1, 0, 7, 7])
    torch.testing.assert_close(upsample_at(lq[0], size, rows, columns), whole[..., rows, :][..., columns])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_upsample_at_accepts_integer_pixels(dtype: torch.dtype) -> None:
    lq = torch.rand(1, 9, 12)
    pixels = (lq * torch.iinfo(dtype).max).round().to(dtype)
    rows, columns = torch.arange(5, 20), torch.arange(30)
    expected = upsample_at(pixels.float() / torch.iinfo(dtype).max, (27, 36), rows, columns)
    torch.testing.assert_close(upsample_at(pixels, (27, 36), rows, columns), expected)
