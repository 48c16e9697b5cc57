"""Read photographs from a column of a table: Hugging Face datasets and parquet files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from dgsr.checks import expect, refuse
from dgsr.data.sources import UnfitError, expect_sides
from dgsr.images import decode_image, read_image
from dgsr.types import Image

_NUM_SIZES = 1000


class TableSource:
    """The images in a column that holds encoded bytes, or structs of bytes and path as on the Hugging Face hub.

    The rows are mapped into memory from the cache of the `datasets` library, which converts parquet files once.

    Args:
        root: A parquet file, a folder of parquet files, a saved dataset, or the hub id of a dataset.
        split: Split of the dataset.
        column: Name of the column; None if there is a single column of images.
        limit: Use only the first images, at most this many.
        min_side_px: See `FileSource`.
        min_bytes: See `FileSource`.
        key: The config key that errors name.

    Raises:
        UserError: The `datasets` library is not installed, or the table has no images.
    """

    def __init__(
        self,
        root: str,
        split: str = "train",
        column: str | None = None,
        limit: int | None = None,
        min_side_px: int = 0,
        min_bytes: int = 0,
        key: str = "data.train.root",
    ) -> None:
        table = _load(root, split, key)
        column = column or _image_column(table, key)
        known = ", ".join(table.column_names)
        expect(column in table.column_names, f"a column of images among {known}", column, "Correct `column`.")
        from datasets import Image as ImageColumn

        self.rows = table.select_columns([column]).cast_column(column, ImageColumn(decode=False))
        self.root, self.column, self.min_side_px, self.min_bytes = root, column, min_side_px, min_bytes
        self._length = min(len(self.rows), limit or len(self.rows))
        expect(self._length > 0, f"images in {root}", "none", f"Correct {key}.")

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        """Decode one photograph.

        Raises:
            UnfitError: It is smaller than allowed.
            UserError: It cannot be read.
        """
        cell, name = self._cell(index), f"{self.root}, row {index}"
        if cell["bytes"] is None:
            return expect_sides(read_image(cell["path"]), self.min_side_px, cell["path"])
        if len(cell["bytes"]) < self.min_bytes:
            raise UnfitError(f"Expected {self.min_bytes} bytes or more, but got {len(cell['bytes'])} in {name}.")
        return expect_sides(decode_image(cell["bytes"], name), self.min_side_px, name)

    def _cell(self, index: int) -> dict[str, Any]:
        return self.rows[range(len(self))[index]][self.column] or {"bytes": b"", "path": None}

    def peers(self, index: int) -> range:
        """Return all indices."""
        return range(len(self))

    def name(self, index: int) -> str:
        """Return the number of the row."""
        return f"{index:08d}"

    def fingerprint(self) -> str:
        """Return a hash of the number of rows and the sizes of some images."""
        sampled = np.linspace(0, len(self) - 1, min(len(self), _NUM_SIZES)).astype(int)
        cells = (self._cell(int(index)) for index in sampled)
        sizes = [len(cell["bytes"]) if cell["bytes"] is not None else cell["path"] for cell in cells]
        return hashlib.sha256(f"{len(self)} {sizes}".encode()).hexdigest()


def _load(root: str, split: str, key: str) -> Any:
    try:
        import datasets
    except ImportError:
        refuse("the library `datasets`", "none", "Install it: pip install 'dgsr[datasets]'")
    path = Path(root)
    datasets.disable_progress_bars()
    try:
        if path.is_file():
            return datasets.load_dataset("parquet", data_files=root, split="train")
        if any((path / name).is_file() for name in ("state.json", "dataset_dict.json")):
            saved: Any = datasets.load_from_disk(root)
            return saved[split] if isinstance(saved, dict) else saved
        return datasets.load_dataset(root, split=split)
    except Exception as error:  # the library raises many kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        refuse("a dataset or a parquet file with images", f"{root} ({reason})", f"Correct {key}.")


def _image_column(table: Any, key: str) -> str:
    """Return the only column of type image, or else the only column of bytes."""
    kinds = {name: _kind(feature) for name, feature in table.features.items()}
    columns = [name for name, kind in kinds.items() if kind == "image"] or [name for name in kinds if kinds[name]]
    got = f"the columns {', '.join(columns or table.column_names)}"
    expect(len(columns) == 1, "one column of images", got, f"Set `column` next to {key}.")
    return columns[0]


def _kind(feature: Any) -> str | None:
    """Return whether a column holds images, or bytes that may be images."""
    import datasets

    if isinstance(feature, datasets.Image):
        return "image"
    encoded = isinstance(feature, dict) and feature.keys() == {"bytes", "path"}
    return "bytes" if encoded or getattr(feature, "dtype", "") in ("binary", "large_binary") else None
