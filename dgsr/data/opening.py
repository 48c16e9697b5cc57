"""Open the source of photographs that a config describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dgsr.checks import expect
from dgsr.data.mixture import MixedSource
from dgsr.data.remembered import RememberedSource
from dgsr.data.sources import FolderSource, ListSource, Source
from dgsr.data.tables import TableSource

BUNDLED = Path(__file__).parents[1] / "assets" / "photos"

_KEYS = ("root", "weight", "limit", "names", "split", "column")


def bundled(split: str, **limits: Any) -> FolderSource:
    """Open the photographs in the package, `train` or `val`; `limits` are keyword arguments of `FolderSource`."""
    expect(split in ("train", "val"), "bundled:train or bundled:val", f"bundled:{split}")
    return FolderSource(BUNDLED / split, **limits)


def open_source(
    root: str | Sequence[str | Mapping[str, Any]],
    limit: int | None = None,
    min_side_px: int = 0,
    min_bytes: int = 0,
    names: str | None = None,
    split: str = "train",
    column: str | None = None,
    in_memory: bool = False,
    key: str = "data.train.root",
) -> Source:
    """Open photographs, or a mixture of several sources.

    Args:
        root: A folder of images; a text file that lists images; parquet files; a dataset, as
            `hf:<folder or hub id>`; `bundled:train` or `bundled:val`; or a list of these, and of mappings with `root`
            and any of `weight`, `limit`, `names`, `split`, `column`.
        limit: Use only the first images of each source, at most this many.
        min_side_px: See `FileSource`.
        min_bytes: See `FileSource`.
        names: A text file that lists images below the folder.
        split: See `TableSource`.
        column: See `TableSource`.
        in_memory: Decode every photograph once and keep it in memory; for small sets.
        key: See `FileSource`.

    Raises:
        UserError: A source cannot be opened, or some weights are missing.
    """
    expect(limit is None or limit > 0, f"a limit above 0 for {key}", limit)
    limits: dict[str, Any] = {"limit": limit, "min_side_px": min_side_px, "min_bytes": min_bytes, "key": key}
    if not isinstance(root, str):
        shared = limits | {"names": names, "split": split, "column": column, "in_memory": in_memory}
        parts = [(open_source(**shared | part), weight) for part, weight in (_part(entry, key) for entry in root)]
        return parts[0][0] if len(parts) == 1 else MixedSource(parts)
    source = _open(root, names, split, column, limits)
    return RememberedSource(source) if in_memory else source


def _open(root: str, names: str | None, split: str, column: str | None, limits: dict[str, Any]) -> Source:
    if root.startswith("bundled:"):
        expect(names is None, "names only with a folder", f"{names} with {root}", "Remove names.")
        return bundled(root.removeprefix("bundled:"), **limits)
    if root.startswith("hf:") or root.endswith(".parquet"):
        return TableSource(root.removeprefix("hf:"), split, column, **limits)
    if names is not None or root.endswith(".txt"):
        return ListSource(names or root, root if names else None, **limits)
    return FolderSource(root, **limits)


def _part(entry: str | Mapping[str, Any], key: str) -> tuple[dict[str, Any], float | None]:
    part: dict[str, Any] = dict(entry) if isinstance(entry, Mapping) else {"root": entry}
    known = "root" in part and part.keys() <= set(_KEYS)
    expect(known, f"root and any of {', '.join(_KEYS[1:])} in {key}", ", ".join(part), "Correct its keys.")
    weight = part.pop("weight", None)
    return part, None if weight is None else float(weight)
