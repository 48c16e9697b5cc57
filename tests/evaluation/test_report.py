"""Tables hold every image, averages and the definitions of the metrics."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from dgsr.evaluation.report import write_csv, write_summary
from dgsr.evaluation.runner import Record
from dgsr.metrics import build

RECORDS = [Record("a.png", {"psnr": 20.0}, {"psnr": 10.0}), Record("b.png", {"psnr": 30.0}, {"psnr": 14.0})]


def test_one_row_an_image(tmp_path: Path) -> None:
    write_csv(RECORDS, tmp_path / "new" / "metrics.csv")
    with (tmp_path / "new" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {"name": "b.png", "psnr": "30.0", "bicubic_psnr": "14.0"}


def test_the_summary_says_what_was_measured(tmp_path: Path) -> None:
    metrics = build(["psnr"])
    write_summary(RECORDS, metrics, tmp_path / "metrics.json")
    summary = json.loads((tmp_path / "metrics.json").read_text())
    psnr = metrics["psnr"]
    expected = {"mean": 25.0, "bicubic": 12.0, "variant": psnr.variant, "direction": "higher"}
    assert summary["metrics"] == {"psnr": expected}
    assert summary["images"][0] == {"name": "a.png", "psnr": 20.0}
