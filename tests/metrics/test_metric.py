"""Test the rounding and checks that precede every metric."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.metrics.fidelity import Psnr
from dgsr.metrics.metric import eight_bit


def test_images_are_rounded_to_8_bits() -> None:
    hq = torch.randint(256, (1, 3, 16, 16)) / 255
    almost = hq + 0.4 / 255 * torch.rand(1, 3, 16, 16)
    assert torch.equal(Psnr()(almost, hq), Psnr()(hq, hq))


def test_values_outside_0_and_1_are_clamped() -> None:
    assert eight_bit(torch.tensor([-0.5, 0.0, 1.0, 1.5]).view(1, 1, 2, 2).expand(1, 3, 2, 2)).unique().tolist() == [
        0,
        1,
    ]


def test_value_does_not_depend_on_autocast() -> None:
    sr, hq = torch.rand(2, 2, 3, 32, 32)
    plain = Psnr()(sr, hq)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Psnr()(sr, hq), plain)


def test_value_has_no_gradient() -> None:
    sr = torch.rand(1, 3, 16, 16, requires_grad=True)
    assert not Psnr()(sr, torch.rand(1, 3, 16, 16)).requires_grad


def test_pairs_of_different_size_are_refused() -> None:
    with pytest.raises(UserError, match="of its reference's size 20x16, but got 16x16"):
        Psnr()(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 20))
