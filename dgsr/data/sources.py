"""Photographs by index: folders, several folders mixed, and the ones inside the package."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from dgsr.checks import UserError, expect
from dgsr.images import read_image
from dgsr.rasters import SUFFIXES
from dgsr.types import Image

BUNDLED = Path(__file__).parents[1] / "assets" / "photos"

#: Passes over a mixture in which every image of the smallest share of weight occurs about this often.
_REPEATS = 100


class UnfitError(UserError):
    """A sound photograph that is smaller than the source's limit."""


@runtime_checkable
class Source(Protocol):
    """Photographs by index."""

    @property
    def num_files(self) -> int:
        """Count the files; the length may count a file more than once."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...

    def path(self, index: int) -> Path:
        """Return where the photograph lies."""
        ...

    def name(self, index: int) -> str:
        """Return what the photograph is called, the same wherever its folder lies."""
        ...

    def fingerprint(self) -> str:
        """Return a hash that changes when the photographs do."""
        ...


class FolderSource:
    """The images of a folder, in the order of their paths.

    Args:
        root: The folder.
        recursive: Look into its folders too.
        limit: Take the first so many.
        min_side_px: Leave out, when read, images with a shorter side; a random other one takes the place.
        min_bytes: Leave out smaller files at once.
        key: The config key that errors name.

    Raises:
        UserError: The folder is missing or has no such image.
    """

    def __init__(
        self,
        root: str | Path,
        recursive: bool = True,
        limit: int | None = None,
        min_side_px: int = 0,
        min_bytes: int = 0,
        key: str = "data.train.root",
    ) -> None:
        self.root, self.min_side_px = Path(root), min_side_px
        remedy = f"Set {key} to a folder of images."
        expect(self.root.is_dir(), "a folder of images", f"{root}, which is not a folder", remedy)
        found = [self.root / name for name in _image_names(self.root, recursive)]
        large = [path for path in found if not min_bytes or path.stat().st_size >= min_bytes]
        kinds = ", ".join(ending.removeprefix(".") for ending in SUFFIXES)
        left = f" of {min_bytes} bytes or more" if min_bytes else ""
        expect(bool(large), f"images ({kinds}){left} in {root}", "none", remedy)
        self.paths = large[:limit]

    @property
    def num_files(self) -> int:
        """Count the files."""
        return len(self.paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Image:
        """Read one photograph.

        Raises:
            UnfitError: It is smaller than allowed.
            UserError: It cannot be read.
        """
        image = read_image(self.paths[index])
        if min(image.shape[1:]) < self.min_side_px:
            size = f"{self.paths[index]} of {image.shape[2]}x{image.shape[1]}"
            raise UnfitError(f"Expected sides of {self.min_side_px} px or more, but got {size}.")
        return image

    def path(self, index: int) -> Path:
        """Return where the photograph lies."""
        return self.paths[index]

    def name(self, index: int) -> str:
        """Return the path below the folder."""
        return self.paths[index].relative_to(self.root).as_posix()

    def fingerprint(self) -> str:
        """Return a hash of names and sizes."""
        entries = (f"{self.name(index)}:{path.stat().st_size}" for index, path in enumerate(self.paths))
        return hashlib.sha256("\n".join(entries).encode()).hexdigest()


def _image_names(root: Path, recursive: bool) -> list[str]:
    names: list[str] = []
    for folder, subfolders, files in os.walk(root, followlinks=True):
        if not recursive:
            subfolders.clear()
        below = Path(folder).relative_to(root)
        visible = (file for file in files if not file.startswith("."))  # some systems leave "._name.jpg" beside each
        names += [(below / file).as_posix() for file in visible if Path(file).suffix.lower() in SUFFIXES]
    return sorted(names)


class MixedSource:
    """Several sources as one.

    A weight says how often a source's images are drawn, relative to the other sources' weights; without weights each
    image is drawn equally often. Weights are met by listing a source's images repeatedly, so that one pass over the
    mixture is still a permutation and a sample stays a function of its position.

    Args:
        sources: Each with its weight; all have one or none has.
    """

    def __init__(self, sources: Sequence[tuple[Source, float | None]]) -> None:
        expect(bool(sources), "at least one folder", "an empty list", "Set data.train.root.")
        weights = [weight for _, weight in sources]
        mixed = any(weight is None for weight in weights) and any(weight is not None for weight in weights)
        expect(not mixed, "a weight for every source or for none", weights, "Mend data.train.root.")
        expect(all(weight is None or weight > 0 for weight in weights), "weights above 0", weights)
        self.sources = [source for source, _ in sources]
        self.ends = list(accumulate(self._entries(weights)))

    def _entries(self, weights: Sequence[float | None]) -> list[int]:
        sizes = [len(source) for source in self.sources]
        if weights[0] is None:
            return sizes
        shares = [float(weight or 0) / sum(float(w or 0) for w in weights) for weight in weights]
        total = _REPEATS * max(size / share for size, share in zip(sizes, shares, strict=True))
        return [max(size, round(total * share)) for size, share in zip(sizes, shares, strict=True)]

    def _locate(self, index: int) -> tuple[int, int]:
        which = next(i for i, end in enumerate(self.ends) if index < end)
        start = self.ends[which - 1] if which else 0
        return which, (index - start) % len(self.sources[which])

    @property
    def num_files(self) -> int:
        """Count the files of all sources, each once."""
        return sum(source.num_files for source in self.sources)

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> Image:
        which, at = self._locate(index)
        return self.sources[which][at]

    def path(self, index: int) -> Path:
        """Return where the photograph lies."""
        which, at = self._locate(index)
        return self.sources[which].path(at)

    def name(self, index: int) -> str:
        """Return what its own source calls the photograph, behind the number of that source."""
        which, at = self._locate(index)
        return f"{which}/{self.sources[which].name(at)}"

    def fingerprint(self) -> str:
        """Return a hash over the sources and their shares."""
        entries = [source.fingerprint() for source in self.sources] + [str(end) for end in self.ends]
        return hashlib.sha256("\n".join(entries).encode()).hexdigest()


def bundled(split: str) -> FolderSource:
    """Open the photographs inside the package: `train` or `val`."""
    expect(split in ("train", "val"), "bundled:train or bundled:val", f"bundled:{split}")
    return FolderSource(BUNDLED / split)


def open_source(
    root: str | Sequence[str | Mapping[str, Any]],
    limit: int | None = None,
    min_side_px: int = 0,
    min_bytes: int = 0,
    key: str = "data.train.root",
) -> Source:
    """Open a folder, `bundled:train`, `bundled:val`, or a list that mixes several.

    Args:
        root: A folder's path, or a list of paths and of mappings with `root` and any of `weight`, `limit`.
        limit: Take the first so many of each folder.
        min_side_px: See `FolderSource`.
        min_bytes: See `FolderSource`.
        key: See `FolderSource`.
    """
    if isinstance(root, str):
        if root.startswith("bundled:"):
            return bundled(root.removeprefix("bundled:"))
        return FolderSource(root, limit=limit, min_side_px=min_side_px, min_bytes=min_bytes, key=key)
    parts: list[tuple[Source, float | None]] = []
    for entry in root:
        part: dict[str, Any] = dict(entry) if isinstance(entry, Mapping) else {"root": entry}
        unknown = sorted(part.keys() - {"root", "weight", "limit"})
        expect("root" in part and not unknown, f"root, weight and limit in {key}", ", ".join(part), "Mend its keys.")
        source = open_source(part["root"], part.get("limit", limit), min_side_px, min_bytes, key)
        parts.append((source, float(part["weight"]) if part.get("weight") is not None else None))
    return parts[0][0] if len(parts) == 1 else MixedSource(parts)
