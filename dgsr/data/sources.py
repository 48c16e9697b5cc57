"""Photographs by index: what a source is, and files below a folder, found or listed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from dgsr.checks import UserError, expect, refuse
from dgsr.data.names import ListedNames, Names
from dgsr.images import read_image
from dgsr.rasters import SUFFIXES
from dgsr.types import Image

#: Files whose size tells whether photographs have changed; asking for millions of them would take minutes.
_SIZES_TOLD = 1000
_UP = "__"  # for "..", in names


class UnfitError(UserError):
    """A sound photograph that is smaller than the source's limits."""


@runtime_checkable
class Source(Protocol):
    """Photographs by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...

    def peers(self, index: int) -> range:
        """Return the photographs out of which another one may take the place of this one."""
        ...

    def name(self, index: int) -> str:
        """Return what the photograph is called, the same wherever its folder lies."""
        ...

    def fingerprint(self) -> str:
        """Return a hash that changes when the photographs do."""
        ...


class FileSource:
    """Image files below a folder.

    Args:
        root: The folder.
        names: Their paths below it, or absolute ones.
        limit: Take the first so many.
        min_side_px: Images with a shorter side are unfit; a random other one takes the place when they are met.
        min_bytes: So are smaller files.
        key: The config key that errors name.

    Raises:
        UserError: There are none.
    """

    def __init__(
        self,
        root: str | Path,
        names: Names,
        limit: int | None = None,
        min_side_px: int = 0,
        min_bytes: int = 0,
        key: str = "data.train.root",
    ) -> None:
        self.root, self.names, self.min_side_px, self.min_bytes = Path(root), names, min_side_px, min_bytes
        kinds = ", ".join(ending.removeprefix(".") for ending in SUFFIXES)
        expect(len(names) > 0, f"images ({kinds}) in {root}", "none", f"Set {key} to a folder of images.")
        self._length = min(len(names), limit or len(names))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        """Read one photograph.

        Raises:
            UnfitError: It is smaller than allowed.
            UserError: It cannot be read.
        """
        path = self.path(index)
        if self.min_bytes and path.is_file() and path.stat().st_size < self.min_bytes:
            size = f"{path} of {path.stat().st_size}"
            raise UnfitError(f"Expected files of {self.min_bytes} bytes or more, but got {size}.")
        return expect_sides(read_image(path), self.min_side_px, path)

    def path(self, index: int) -> Path:
        """Return where the photograph lies."""
        return self.root / self.names[range(len(self))[index]]

    def peers(self, index: int) -> range:
        """Return all."""
        return range(len(self))

    def name(self, index: int) -> str:
        """Return the path below the folder; of a photograph elsewhere one that could be below a folder of results."""
        name = self.names[range(len(self))[index]]
        outside = name.startswith("/") or ".." in name
        return "/".join(_UP if part == ".." else part for part in name.split("/") if part) if outside else name

    def fingerprint(self) -> str:
        """Return a hash of all names and of the sizes of some files."""
        some = np.linspace(0, len(self) - 1, min(len(self), _SIZES_TOLD)).astype(int)
        paths = (self.path(int(index)) for index in some)
        sizes = [path.stat().st_size if path.is_file() else None for path in paths]
        return hashlib.sha256(f"{self.names.digest()} {len(self)} {sizes}".encode()).hexdigest()


def expect_sides(image: Image, min_side_px: int, name: object) -> Image:
    """Return an image whose sides are long enough.

    Raises:
        UnfitError: They are not.
    """
    if min(image.shape[1:]) < min_side_px:
        size = f"{name} of {image.shape[2]}x{image.shape[1]}"
        raise UnfitError(f"Expected sides of {min_side_px} px or more, but got {size}.")
    return image


class FolderSource(FileSource):
    """The images of a folder and of its folders, in the order of their paths; hidden ones are passed over.

    Args:
        root: The folder.
        limit: See `FileSource`.
        min_side_px: See `FileSource`.
        min_bytes: See `FileSource`.
        key: See `FileSource`.

    Raises:
        UserError: The folder is missing or has no image, or one of its folders cannot be read.
    """

    def __init__(
        self,
        root: str | Path,
        limit: int | None = None,
        min_side_px: int = 0,
        min_bytes: int = 0,
        key: str = "data.train.root",
    ) -> None:
        remedy = f"Set {key} to a folder of images."
        expect(Path(root).is_dir(), "a folder of images", f"{root}, which is not a folder", remedy)
        names = Names.of(sorted(_image_names(str(root))))
        super().__init__(root, names, limit, min_side_px, min_bytes, key)


def _image_names(root: str) -> Iterator[str]:
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=_refuse_unreadable):
        # Hidden are thumbnails, notebooks' checkpoints, waste, and the "._a.jpg" that some systems leave beside each.
        seen = [name for name in subfolders if not name.startswith(".")]
        subfolders[:] = [name for name in seen if not _leads_back(Path(folder, name), Path(root))]
        below = Path(folder).relative_to(root).as_posix()
        for file in files:
            if file.lower().endswith(SUFFIXES) and not file.startswith("."):
                yield file if below == "." else f"{below}/{file}"


def _refuse_unreadable(error: OSError) -> None:
    refuse("folders that can be read", f"{error.filename} ({error.strerror})", "Give access to it, or move it away.")


def _leads_back(folder: Path, root: Path) -> bool:
    """Tell whether a link leads to a folder around itself, in which every image would be found again and again."""
    if not folder.is_symlink():
        return False
    target = folder.resolve()
    way = (above.resolve() for above in folder.parents if above.is_relative_to(root))
    return any(above.is_relative_to(target) for above in way)


class ListSource(FileSource):
    """The images that a text file lists, one a line, in its order; millions open at once.

    Args:
        names: The list.
        root: The folder that its paths start from; the list's own by default.
        limit: See `FileSource`.
        min_side_px: See `FileSource`.
        min_bytes: See `FileSource`.
        key: See `FileSource`.

    Raises:
        UserError: The list is missing or empty, or its first image is not there.
    """

    def __init__(
        self,
        names: str | Path,
        root: str | Path | None = None,
        limit: int | None = None,
        min_side_px: int = 0,
        min_bytes: int = 0,
        key: str = "data.train.root",
    ) -> None:
        path = Path(names)
        expect(path.is_file(), "a list of images, one a line", f"{names}, which is not a file", f"Mend {key}.")
        super().__init__(root or path.parent, ListedNames(path), limit, min_side_px, min_bytes, key)
        first, remedy = self.path(0), f"Its paths start from {self.root}; name another folder as {key}."
        expect(first.is_file(), f"the images that {names} lists", f"no file {first}", remedy)
