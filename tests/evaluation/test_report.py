"""Test the CSV and JSON files of an evaluation."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

from dgsr.evaluation import Record, write_csv, write_json
from tests.evaluation.test_results import results


def test_csv_has_one_row_per_image(tmp_path: Path) -> None:
    write_csv(results(), tmp_path / "new" / "metrics.csv")
    with (tmp_path / "new" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    heads = ["psnr (Y, 8-bit)", "ssim (Y, 8-bit)", "bicubic psnr (Y, 8-bit)", "bicubic ssim (Y, 8-bit)"]
    assert rows[1] == {"name": "b", **dict(zip(heads, ["30.0", "", "", ""], strict=True))}


def test_undecodable_names_are_written_escaped(tmp_path: Path) -> None:
    odd = os.fsdecode(b"a\xff.png")
    changed = replace(results(), records=[Record(odd, results().records[0].values)])
    write_csv(changed, tmp_path / "metrics.csv")
    write_json(changed, tmp_path / "metrics.json")
    assert "a\\udcff.png,20.0" in (tmp_path / "metrics.csv").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["images"][0]["name"] == odd


def test_json_holds_averages_metrics_and_images(tmp_path: Path) -> None:
    write_json(results(), tmp_path / "metrics.json")
    summary = json.loads((tmp_path / "metrics.json").read_text())
    psnr, average = summary["metrics"]["psnr"], results().averages["sr"]["psnr"]
    assert average is not None
    assert (psnr["mean"], psnr["low"], psnr["high"]) == (25.0, average.interval.low, average.interval.high)
    assert (psnr["variant"], psnr["direction"], psnr["num_images"]) == ("Y, 8-bit", "higher", 3)
    assert psnr["bicubic"]["sr_minus_this"]["mean"] == 1.5
    assert summary["metrics"]["ssim"]["mean"] is None
    assert summary["images"][0] == {
        "name": "a",
        "psnr": 20.0,
        "ssim": None,
        "bicubic": {"psnr": 18.0, "ssim": None},
    }
    assert (summary["missing"], summary["left_out"]) == ({"niqe": "none"}, ["d: broken"])
