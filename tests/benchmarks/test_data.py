"""Test the benchmark of long lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.data import main


def test_quick_run_fills_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--out", str(tmp_path / "result.json")])
    rows = json.loads((tmp_path / "result.json").read_text())["rows"]
    assert [row["names"] for row in rows] == [1_000, 10_000]
    assert all(row[when]["sample_microseconds"] > 0 for row in rows for when in ("first", "again"))
    assert "| 10,000 |" in capsys.readouterr().out
