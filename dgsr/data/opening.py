"""From what a config says to a source of photographs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dgsr.checks import expect
from dgsr.data.sources import FolderSource, MixedSource, Source, bundled

_BUNDLED = "bundled:"
_PART_KEYS = ("root", "weight", "limit")


def open_source(
    root: str | Sequence[Mapping[str, Any]], min_side_px: int = 0, min_bytes: int = 0, key: str = "data.train.root"
) -> Source:
    """Open a folder, the bundled photographs, or a mixture.

    Args:
        root: A folder, `bundled:train`, `bundled:val`, or a list of {root, weight, limit} with the last two optional.
        min_side_px: See `FolderSource`; the bundled photographs are always fit.
        min_bytes: Likewise.
        key: The config key that errors name.

    Raises:
        UserError: A folder is missing or empty, or a part of the list is misspelt.
    """
    if isinstance(root, str):
        return _open_one(root, None, min_side_px, min_bytes, key)
    for part in root:
        unknown = [name for name in part if name not in _PART_KEYS]
        expect("root" in part and not unknown, f"{key} with root, weight and limit", dict(part), "Mend its keys.")
    parts = [(_open_one(p["root"], p.get("limit"), min_side_px, min_bytes, key), p.get("weight")) for p in root]
    return MixedSource(parts)


def _open_one(root: str, limit: int | None, min_side_px: int, min_bytes: int, key: str) -> FolderSource:
    if root.startswith(_BUNDLED):
        return bundled(root.removeprefix(_BUNDLED))  # type: ignore[arg-type]
    return FolderSource(root, limit=limit, min_side_px=min_side_px, min_bytes=min_bytes, key=key)
