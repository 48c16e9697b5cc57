"""Test averages over existing values and paired differences."""

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


def test_averages_cover_existing_values_and_pairs() -> None:
    averages = results().averages
    ours, theirs = averages["sr"]["psnr"], averages["bicubic"]["psnr"]
    assert ours is not None
    assert theirs is not None
    assert (ours.interval, ours.num_images, ours.lead) == (interval([20.0, 30.0, 25.0]), 3, None)
    assert (theirs.interval.mean, theirs.num_images) == (21.0, 2)
    assert theirs.lead == difference([20.0, 25.0], [18.0, 24.0])
    assert averages["sr"]["ssim"] is None


def test_rows_match_their_headings() -> None:
    measured = results()
    assert measured.columns == ["sr", "bicubic", "sr - bicubic"]
    assert [cell.split()[0] for cell in measured.row("psnr")] == ["25.0000", "21.0000", "+1.5000"]
    assert measured.row("ssim") == ["-", "-", "-"]
    assert measured.notes == ["none", "too small"]


def test_set_metric_has_a_single_value() -> None:
    measured = results()
    suite = Suite(measured.suite.each, {"fid": Fid(extractor=Means())})
    measured = Results({}, measured.records, suite, {"sr": {"fid": 12.0}, "bicubic": {"fid": None}})
    average = measured.averages["sr"]["fid"]
    assert average is not None
    assert average.interval.mean == pytest.approx(12)
    assert measured.row("fid") == ["12.0000", "-", "-"]
