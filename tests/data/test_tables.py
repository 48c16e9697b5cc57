"""Parquet files and saved datasets are sources of photographs."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage

from dgsr.checks import UserError
from dgsr.data.opening import open_source
from dgsr.data.sources import Source, UnfitError

datasets = pytest.importorskip("datasets")

SIDES = (8, 16, 12)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    yield
    datasets.enable_progress_bars()


def encoded(side_px: int, kind: str = "PNG") -> bytes:
    pixels = np.arange(3 * side_px**2, dtype=np.uint8).reshape(side_px, side_px, 3)
    PillowImage.fromarray(pixels).save(buffer := BytesIO(), kind)
    return buffer.getvalue()


def expected(side_px: int) -> torch.Tensor:
    pixels = torch.arange(3 * side_px**2, dtype=torch.uint8).view(side_px, side_px, 3)
    return pixels.permute(2, 0, 1).float() / 255


def table(column: list[Any], **others: list[Any]) -> Any:
    return datasets.Dataset.from_dict({"id": list(range(len(column))), "photo": column} | others)


def typed(column: list[Any], **others: list[Any]) -> Any:
    return table(column, **others).cast_column("photo", datasets.Image())


PNGS = [encoded(side_px) for side_px in SIDES]
STRUCTS = [{"bytes": png, "path": f"{index}.png"} for index, png in enumerate(PNGS)]


def check(source: Source) -> None:
    assert len(source) == 3
    assert all(torch.equal(source[index], expected(side_px)) for index, side_px in enumerate(SIDES))
    assert len({source.name(index) for index in range(3)}) == 3


@pytest.mark.parametrize("rows", [table(PNGS), table(STRUCTS), typed(STRUCTS)], ids=["bytes", "struct", "image"])
def test_a_parquet_file(tmp_path: Path, rows: Any) -> None:
    rows.to_parquet(tmp_path / "photos.parquet")
    check(open_source(f"{tmp_path}/photos.parquet"))


def test_a_folder_of_parquet_files_with_splits(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    typed(STRUCTS[:2]).to_parquet(tmp_path / "data" / "train-00000-of-00002.parquet")
    typed(STRUCTS[2:]).to_parquet(tmp_path / "data" / "train-00001-of-00002.parquet")
    typed(STRUCTS[:1]).to_parquet(tmp_path / "data" / "validation-00000-of-00001.parquet")
    check(open_source(f"hf:{tmp_path}"))
    assert len(open_source(f"hf:{tmp_path}", split="validation")) == 1
    with pytest.raises(UserError, match=r"nothing.*data\.train\.root"):
        open_source(f"hf:{tmp_path}", split="nothing")


def test_a_saved_dataset(tmp_path: Path) -> None:
    typed(STRUCTS).save_to_disk(tmp_path / "one")
    check(open_source(f"hf:{tmp_path}/one"))
    datasets.DatasetDict({"train": typed(STRUCTS)}).save_to_disk(tmp_path / "several")
    check(open_source(f"hf:{tmp_path}/several"))


def test_images_outside_the_table(tmp_path: Path) -> None:
    for index, png in enumerate(PNGS):
        (tmp_path / f"{index}.png").write_bytes(png)
    paths = [{"bytes": None, "path": str(tmp_path / f"{index}.png")} for index in range(3)]
    typed(paths).save_to_disk(tmp_path / "saved")
    check(open_source(f"hf:{tmp_path}/saved"))


def test_limits_and_broken_rows(tmp_path: Path) -> None:
    typed([*STRUCTS, None, {"bytes": b"no image", "path": None}]).to_parquet(tmp_path / "photos.parquet")
    root = f"{tmp_path}/photos.parquet"
    assert len(open_source(root, limit=2)) == 2
    with pytest.raises(UnfitError, match="row 0 of 8x8"):
        open_source(root, min_side_px=12)[0]
    with pytest.raises(UnfitError, match="row 4"):
        open_source(root, min_bytes=20)[4]
    for row in (3, 4):
        with pytest.raises(UserError, match=f"readable image.*row {row}"):
            open_source(root)[row]


def test_the_column_is_detected_or_given(tmp_path: Path) -> None:
    both = typed(STRUCTS, mask=PNGS)
    both.to_parquet(tmp_path / "one.parquet")
    check(open_source(f"{tmp_path}/one.parquet"))
    check(open_source([{"root": f"{tmp_path}/one.parquet", "column": "mask"}]))
    both.cast_column("mask", datasets.Image()).to_parquet(tmp_path / "two.parquet")
    with pytest.raises(UserError, match="the columns photo, mask"):
        open_source(f"{tmp_path}/two.parquet")
    with pytest.raises(UserError, match="among id, photo, mask, but got foto"):
        open_source(f"{tmp_path}/two.parquet", column="foto")


def test_the_fingerprint_depends_on_the_images(tmp_path: Path) -> None:
    for name, order in (("a", STRUCTS), ("b", STRUCTS), ("c", STRUCTS[::-1])):
        typed(order).to_parquet(tmp_path / f"{name}.parquet")
    a, b, c = (open_source(f"{tmp_path}/{name}.parquet").fingerprint() for name in "abc")
    assert a == b != c


def test_a_table_can_be_pickled(tmp_path: Path) -> None:
    typed(STRUCTS).to_parquet(tmp_path / "photos.parquet")
    check(pickle.loads(pickle.dumps(open_source(f"{tmp_path}/photos.parquet"))))


def test_a_missing_dataset_is_refused_by_its_key(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"no table")
    for root in (f"{tmp_path}/broken.parquet", f"{tmp_path}/missing.parquet", f"hf:{tmp_path}"):
        with pytest.raises(UserError, match=r"data\.val\.root"):
            open_source(root, key="data.val.root")
