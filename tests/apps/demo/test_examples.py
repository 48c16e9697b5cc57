"""The examples are the package's photographs at a quarter of their size, the same every time."""

from __future__ import annotations

from pathlib import Path

from dgsr.apps.demo.examples import write_examples
from dgsr.data import bundled
from dgsr.rasters import read_raster


def test_examples(tmp_path: Path) -> None:
    first, second = (write_examples(tmp_path / name) for name in ("a", "b"))
    assert len(first) == 3
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    sizes = {tuple(side // 4 for side in photo.shape[1:]) for photo in bundled("val")}
    assert {read_raster(path).size for path in first} <= sizes
