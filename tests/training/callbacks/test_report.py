"""Test the closing report of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.training.callbacks import ClosingReport, ImagePanels
from dgsr.training.callbacks.report import closing_rows, verdict
from dgsr.training.data.validation_sets import ValidationSet
from dgsr.training.loop.csv_log import CsvLog
from tests.small_run import make_data, make_module, make_trainer

SMALL = ValidationSet("bundled:val", limit=1, crop_px=32)


def test_report_names_existing_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callbacks = [ImagePanels(str(tmp_path / "panels")), ClosingReport(str(tmp_path))]
    module, data = make_module(1, adversarial=False), make_data()
    trainer = make_trainer(1, callbacks=callbacks, logger=CsvLog(str(tmp_path)), log_every_n_steps=1)
    trainer.validate(module, data, verbose=False)
    trainer.fit(module, data)
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("bicubic", "before training", "after step 1", "curves.png"))
    assert (tmp_path / "curves.png").is_file()
    assert "| before training |" in (tmp_path / "report.md").read_text()


def test_report_has_a_table_per_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module, data = make_module(1, adversarial=False), make_data(val=None, val_sets={"a": SMALL, "b": SMALL})
    trainer = make_trainer(1, callbacks=[ClosingReport(str(tmp_path))])
    trainer.validate(module, data, verbose=False)
    assert list(module.validations[0]) == ["step", "a/psnr", "a/bicubic/psnr", "b/psnr", "b/bicubic/psnr"]
    trainer.fit(module, data)
    printed, written = capsys.readouterr().out, (tmp_path / "report.md").read_text()
    assert all(f"Validation {name}" in printed and f"| {name} | psnr" in written for name in "ab")


def test_set_added_on_resume_has_no_baseline_row() -> None:
    module = make_module(1, adversarial=False)
    module.validations = [{"step": 0, "psnr": 20.0, "bicubic/psnr": 25.0}, {"step": 9, "psnr": 24.0, "real/psnr": 30.0}]
    assert list(closing_rows(module)) == ["bicubic", "before training", "after step 9"]
    assert closing_rows(module, "real") == {"after step 9": {"psnr": 30.0}}


def test_verdict_names_better_and_worse_metrics() -> None:
    module = make_module(1, adversarial=False)
    module.validations = [
        {"step": 0, "psnr": 20.0, "bicubic/psnr": 25.0},
        {"step": 9, "psnr": 24.0},
    ]
    rows = closing_rows(module)
    assert rows == {"bicubic": {"psnr": 25.0}, "before training": {"psnr": 20.0}, "after step 9": {"psnr": 24.0}}
    assert verdict(module, rows) == "Against bicubic: not better in psnr."
    module.validations[-1]["psnr"] = 26.0
    assert verdict(module, closing_rows(module)) == "Against bicubic: better in psnr."
