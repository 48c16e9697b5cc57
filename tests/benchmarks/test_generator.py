"""Test the generator benchmark."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks.generator import main


@pytest.mark.slow
def test_quick_run_prints_the_ratio_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--quick", "--out", str(tmp_path / "result.json")])
    (row,) = json.loads((tmp_path / "result.json").read_text())["rows"]
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"ratio generator \d+\.\d\d", lines[-1])
    assert float(lines[-1].split()[-1]) == pytest.approx(row["plain_over_dgsr"], abs=0.006)
    assert max(row["difference"].values()) < 1e-4
    assert row["unclamped"] > 0.5
    assert all(figures["peak_mib"] > 0 for figures in row["ways"].values())
    counts = row["giga_multiplications"]
    assert 0 < counts["low_rank"] < counts["layers"]
    assert counts["baking"] > 0
