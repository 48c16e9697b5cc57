"""Test building of metrics by name."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.metrics import Fid, Metric, Psnr
from dgsr.metrics import build as build_from
from dgsr.metrics import build_available as build_available_from
from tests.standard_metrics import build, build_available

NAMES = ["psnr", "ssim", "lpips", "lpips_vgg", "dists"]


def test_every_metric_measures_a_batch() -> None:
    suite = build(NAMES)
    sr, hq = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    assert list(suite) == NAMES
    for name, metric in suite.items():
        values = metric(sr, hq)
        assert values.shape == (2,)
        assert metric.name == name
        assert metric.needs_reference
        better, worse = metric(0.9 * hq + 0.1 * sr, hq), values
        assert ((better > worse) == (metric.direction == "higher")).all(), name


def test_metrics_are_not_trained() -> None:
    assert not any(p.requires_grad for metric in build(NAMES).values() for p in metric.parameters())


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("lipips", "Did you mean lpips?"),
        ("nothing", "Correct --metrics or metrics.names."),
        ("", "an empty name. Correct --metrics or metrics.names."),
    ],
)
def test_unknown_name_is_refused(name: str, remedy: str) -> None:
    with pytest.raises(UserError) as caught:
        build(["psnr", name])
    assert name in str(caught.value)
    assert str(caught.value).endswith(remedy)


class Means(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.double().mean(dim=(2, 3))


def _unavailable() -> Metric:
    raise UserError("Expected it, but got none. Fetch it.")


def test_build_refuses_missing_metrics_and_metrics_of_sets() -> None:
    with pytest.raises(UserError, match="Fetch it"):
        build_from(["psnr", "niqe"], {"psnr": Psnr, "niqe": _unavailable})
    with pytest.raises(UserError, match=r"single images in metrics\.names, but got fid\. Measure whole sets with"):
        build_from(["fid"], {"fid": lambda: Fid(extractor=Means())})


def test_missing_metric_does_not_affect_the_others() -> None:
    suite = build_available_from(["psnr", "niqe", "fid"], {"psnr": Psnr, "niqe": _unavailable, "fid": _unavailable})
    assert list(suite.each) == ["psnr"]
    assert suite.missing == dict.fromkeys(["niqe", "fid"], "Expected it, but got none. Fetch it.")
    with pytest.raises(UserError, match=r"Did you mean fid\?"):
        build_available(["psnr", "fidd"])


def test_options_reach_the_metrics() -> None:
    assert build_available(["psnr"], crop_border_px=2).each["psnr"].variant == "Y, 8-bit, border of 2 px cut"
    assert build(["ssim"], channel="rgb")["ssim"].variant == "RGB, 8-bit"


class Sharpness(Metric):
    name, direction, variant, needs_reference = "sharpness", "higher", "mean gradient", False

    def measure(self, sr: torch.Tensor, hq: torch.Tensor) -> torch.Tensor:
        return sr.diff(dim=-1).abs().mean(dim=(1, 2, 3))


def test_your_own_metric_is_added_to_the_named_ones() -> None:
    assert list(build_from(["psnr"], {"psnr": Psnr}, sharpness=Sharpness())) == ["psnr", "sharpness"]
    assert list(build_available_from([], {}, sharpness=Sharpness(), off=None).each) == ["sharpness"]
    with pytest.raises(UserError, match=r"a metric for metrics\.wrong, but got 3\. .* dgsr\.metrics\.Metric"):
        build_from([], {}, wrong=3)


def test_invalid_option_is_refused() -> None:
    with pytest.raises(UserError, match="border of 0 px or more"):
        build_available(["psnr", "niqe"], crop_border_px=-4)
    with pytest.raises(UserError, match=r"auto, offline, torchvision or the path .* but got ofline"):
        build_available(["lpips", "niqe"], weights="ofline")
