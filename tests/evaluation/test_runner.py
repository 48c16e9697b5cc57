"""Test measuring of single images and of sets."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dgsr.checks import UserError
from dgsr.evaluation import Record, Sample, measure, measure_each, measure_sets, pictures
from dgsr.metrics import Fid
from dgsr.ops.resizing import upsample
from tests.standard_metrics import build


class InMemory:
    """Two readable samples and a broken one."""

    names: tuple[str, ...] = ("a", "broken", "b")

    def __init__(self) -> None:
        hq = torch.rand(3, 3, 64, 48)
        lq = hq[..., ::4, ::4]
        sr = (hq + 0.05 * torch.randn(3, 3, 64, 48)).clamp(0, 1)
        rows = zip(self.names, hq, lq, sr, strict=True)
        self.samples = {name: {"name": name, "hq": hq, "lq": lq, "sr": sr} for name, hq, lq, sr in rows}

    def __getitem__(self, name: str) -> Sample:
        if name == "broken":
            raise UserError("Expected a readable image, but got broken.")
        return self.samples[name]


def test_values_equal_direct_calls_of_the_metrics() -> None:
    metrics = build(["psnr", "ssim"])
    sample = InMemory()["a"] | {"against": torch.rand(3, 64, 48)}
    images = {"sr": sample["sr"], "bicubic": upsample(sample["lq"][None], 4)[0], "against": sample["against"]}
    expected = {
        series: {name: metric(image[None], sample["hq"][None]).item() for name, metric in metrics.items()}
        for series, image in images.items()
    }
    assert measure(sample, metrics) == Record("a", expected)
    assert list(pictures(sample)) == ["bicubic", "sr", "against", "hq"]


def test_too_small_image_has_no_value_but_a_note() -> None:
    sample = {"name": "tiny", "sr": torch.rand(3, 20, 8), "hq": torch.rand(3, 20, 8)}
    record = measure(sample, build(["psnr", "ssim", "lpips"]))
    assert record.values["sr"]["psnr"] is not None
    assert record.values["sr"]["ssim"] is record.values["sr"]["lpips"] is None
    assert [note.split(",")[0] for note in record.notes] == [
        "Expected sides of 11 px or more for ssim",
        "Expected sides of 31 px or more for lpips",
    ]


def test_broken_sample_does_not_stop_the_others() -> None:
    samples = InMemory()
    a, error, b = measure_each(samples, samples.names, build(["psnr"]))
    assert isinstance(error, UserError)
    assert [record.name for record in (a, b) if isinstance(record, Record)] == ["a", "b"]
    assert a == measure(samples["a"], build(["psnr"]))


class Means(nn.Module):
    num_features = 3

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.double().mean(dim=(2, 3))


@pytest.mark.parametrize(("names", "has_value"), [(("a", "b"), True), (("a",), False)])
def test_set_metrics_have_a_value_per_series(names: tuple[str, ...], has_value: bool) -> None:
    values = measure_sets(InMemory(), names, {"fid": Fid(extractor=Means())})
    assert list(values) == ["sr", "bicubic"]
    assert (values["sr"]["fid"] is not None) == has_value
    assert measure_sets(InMemory(), names, {}) == {}
