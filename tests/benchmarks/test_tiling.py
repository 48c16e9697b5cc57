"""Test the tiling benchmark."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.tiling import main


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak")
def test_memory_hardly_grows_with_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--megapixels", "0.1", "0.4", "--tile", "256", "--out", str(tmp_path / "tiling.json")])
    rows = json.loads((tmp_path / "tiling.json").read_text())["rows"]
    assert [row["side"] for row in rows] == [324, 648]
    assert all(row["above_images_mib"] > row["before_mib"] > 100 for row in rows)
    assert float(capsys.readouterr().out.split()[-1]) < 0.5  # the sizes differ in their number of tiles
