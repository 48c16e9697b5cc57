"""Test the training benchmark."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import training


@pytest.mark.slow
def test_quick_run_prints_the_ratio_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "QUICK_JUDGES", ["small"])
    training.main(["--quick", "--repeats", "1", "--out", str(tmp_path / "result.json")])
    (row,) = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert row["difference"] < 2e-3
    assert row["ways"]["joint"]["over_plain"] < 1
    assert all(figures["peak_mib"] > 0 for figures in row["ways"].values())
    assert re.fullmatch(r"ratio training \d+\.\d\d", capsys.readouterr().out.splitlines()[-1])
