"""Test the tables and pictures of validations."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dgsr.training.callbacks import ValidationFiles
from dgsr.training.callbacks.validation_files import write_records
from tests.small_run import make_data, make_module, make_trainer


def test_averages_of_the_tables_equal_the_reported_metrics(tmp_path: Path) -> None:
    module = make_module(2, adversarial=False)
    files = ValidationFiles(str(tmp_path), num_pictures=2)
    make_trainer(validate_every_steps=1, callbacks=[files]).fit(module, make_data())
    for result in module.validations:
        with (tmp_path / f"step_{int(result['step']):07d}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [row["image"] for row in rows] == ["image-0.png", "image-1.png", "image-2.png"]
        assert sum(float(row["psnr"]) for row in rows) / 3 == pytest.approx(result["psnr"], rel=1e-12)
    pictures = {str(path.relative_to(tmp_path / "pictures")) for path in tmp_path.glob("pictures/*/*.png")}
    assert pictures == {f"image-{index}.png/{kind}.png" for index in (0, 1) for kind in ("lq", "sr", "hq")}


def test_cells_of_other_sets_are_empty(tmp_path: Path) -> None:
    write_records({"a": {"psnr": 20.0}, "real/a": {"real/psnr": 30.5}}, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text().split() == ["image,psnr,real/psnr", "a,20.0,", "real/a,,30.5"]
