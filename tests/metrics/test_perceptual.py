"""Test LPIPS and DISTS as metrics against the distances that they use."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from dgsr.features import DistsDistance, LpipsDistance
from dgsr.metrics.metric import eight_bit
from dgsr.metrics.perceptual import Dists, Lpips


def test_dists_grows_with_degradation() -> None:
    hq = gaussian_blur(torch.rand(1, 3, 64, 64), [5, 5])
    slightly, badly = (hq + scale * torch.randn(1, 3, 64, 64) for scale in (0.02, 0.2))
    metric = Dists()
    assert metric(hq, hq).item() == pytest.approx(0, abs=1e-5)
    assert 0 < metric(slightly, hq).item() < metric(badly, hq).item()


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_lpips_expects_images_in_0_to_1(net: Literal["alex", "vgg"]) -> None:
    sr, hq = eight_bit(torch.rand(2, 3, 64, 48)), eight_bit(torch.rand(2, 3, 64, 48))
    assert torch.allclose(Lpips(net)(sr, hq), LpipsDistance(net)(2 * sr - 1, 2 * hq - 1))


def test_dists_equals_the_distance() -> None:
    sr, hq = eight_bit(torch.rand(2, 3, 48, 64)), eight_bit(torch.rand(2, 3, 48, 64))
    assert torch.equal(Dists()(sr, hq), DistsDistance()(sr, hq))


def test_lpips_variant_names_the_network() -> None:
    assert [(metric.name, metric.variant) for metric in (Lpips("alex"), Lpips("vgg"))] == [
        ("lpips", "AlexNet"),
        ("lpips_vgg", "VGG-16"),
    ]


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_lpips_refuses_images_below_its_minimum_size(net: Literal["alex", "vgg"]) -> None:
    metric = Lpips(net)
    least = metric.min_side_px
    assert metric(torch.rand(1, 3, least, least), torch.rand(1, 3, least, least)).isfinite().all()
    with pytest.raises(RuntimeError, match="too small"):
        metric.measure(torch.rand(1, 3, least - 1, least - 1), torch.rand(1, 3, least - 1, least - 1))
