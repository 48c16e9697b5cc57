"""Averages are over the images that have a value, differences over those that have both."""

from __future__ import annotations

import pytest

from dgsr.evaluation import Record, Results, difference, interval
from dgsr.metrics import Fid, Suite
from tests.evaluation.test_runner import Means
from tests.standard_metrics import build


def results() -> Results:
    rows = {"a": (20.0, 18.0), "b": (30.0, None), "c": (25.0, 24.0)}
    records = [
        Record(name, {"sr": {"psnr": ours, "ssim": None}, "bicubic": {"psnr": theirs, "ssim": None}}, ("too small",))
        for name, (ours, theirs) in rows.items()
    ]
    return Results(
        {"sr": "folder"}, records, Suite(build(["psnr", "ssim"]), missing={"niqe": "none"}), {}, ["d: broken"]
    )


def test_averages_are_over_what_is_there() -> None:
    averages = results().averages
    ours, theirs = averages["sr"]["psnr"], averages["bicubic"]["psnr"]
    assert ours is not None
    assert theirs is not None
    assert (ours.found, ours.num_images, ours.lead) == (interval([20.0, 30.0, 25.0]), 3, None)
    assert (theirs.found.mean, theirs.num_images) == (21.0, 2)
    assert theirs.lead == difference([20.0, 25.0], [18.0, 24.0])
    assert averages["sr"]["ssim"] is None


def test_rows_fit_their_heads() -> None:
    found = results()
    assert found.columns == ["sr", "bicubic", "sr - bicubic"]
    assert [cell.split()[0] for cell in found.row("psnr")] == ["25.0000", "21.0000", "+1.5000"]
    assert found.row("ssim") == ["-", "-", "-"]
    assert found.notes == ["none", "too small"]


def test_a_set_has_one_value() -> None:
    found = results()
    suite = Suite(found.suite.each, {"fid": Fid(extractor=Means())})
    found = Results({}, found.records, suite, {"sr": {"fid": 12.0}, "bicubic": {"fid": None}})
    average = found.averages["sr"]["fid"]
    assert average is not None
    assert average.found.mean == pytest.approx(12)
    assert found.row("fid") == ["12.0000", "-", "-"]
