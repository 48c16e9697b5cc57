"""Metrics by name."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.metrics import build, build_available, suite

NAMES = ["psnr", "ssim", "lpips", "lpips_vgg", "dists"]


def test_all_of_them_measure_a_batch() -> None:
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


def test_nothing_of_them_is_trained() -> None:
    assert not any(p.requires_grad for metric in build(NAMES).values() for p in metric.parameters())


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("lipips", "Did you mean lpips?"),
        ("fid", "Mend --metrics or metrics.names."),
        ("", "an empty name. Mend --metrics or metrics.names."),
    ],
)
def test_an_unknown_name_is_refused(name: str, remedy: str) -> None:
    with pytest.raises(UserError) as caught:
        build(["psnr", name])
    assert name in str(caught.value)
    assert str(caught.value).endswith(remedy)


def test_what_cannot_be_had_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: object) -> None:
        raise UserError("Expected it, but got none. Fetch it.")

    monkeypatch.setitem(suite._EACH, "niqe", missing)
    monkeypatch.setitem(suite._SETS, "fid", missing)
    found = build_available(["psnr", "niqe", "fid"], crop_border_px=2)
    assert found.each["psnr"].variant == "Y, 8-bit, border of 2 px cut"
    assert found.missing == dict.fromkeys(["niqe", "fid"], "Expected it, but got none. Fetch it.")
    with pytest.raises(UserError, match=r"Did you mean fid\?"):
        build_available(["psnr", "fidd"])


def test_a_wrong_option_is_not_passed_over() -> None:
    with pytest.raises(UserError, match="border of 0 px or more"):
        build_available(["psnr", "niqe"], crop_border_px=-4)
    with pytest.raises(UserError, match=r"auto, offline, torchvision or the path .* but got ofline"):
        build_available(["lpips", "niqe"], weights="ofline")
