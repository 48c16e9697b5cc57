"""Sources of photographs: the protocol, folders of images, and lists of images."""

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

#: Number of files whose sizes are part of a fingerprint; the sizes of millions of files would take minutes to read.
_NUM_SIZES = 1000
_PARENT = "__"  # replaces ".." in names


class UnfitError(UserError):
    """A photograph is intact but smaller than the limits of its source."""


@runtime_checkable
class Source(Protocol):
    """Photographs by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Image: ...

    def peers(self, index: int) -> range:
        """Return the indices of the photographs that may replace this one."""
        ...

    def name(self, index: int) -> str:
        """Return the name of the photograph, which does not depend on where its folder is."""
        ...

    def fingerprint(self) -> str:
        """Return a hash that changes when the photographs do."""
        ...


class FileSource:
    """Image files below a folder.

    Args:
        root: The folder.
        names: Paths below the folder, or absolute paths.
        limit: Use only the first images, at most this many.
        min_side_px: Images with a shorter side are replaced by others when they are read.
        min_bytes: Smaller files are replaced by others when they are read.
        key: The config key that errors name.

    Raises:
        UserError: There are no images.
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
        """Return the path of the photograph."""
        return self.root / self.names[range(len(self))[index]]

    def peers(self, index: int) -> range:
        """Return all indices."""
        return range(len(self))

    def name(self, index: int) -> str:
        """Return the path below the folder; for a photograph elsewhere, a path that stays below any output folder."""
        name = self.names[range(len(self))[index]]
        if not name.startswith("/") and ".." not in name:
            return name
        return "/".join(_PARENT if part == ".." else part for part in name.split("/") if part)

    def fingerprint(self) -> str:
        """Return a hash of all names and of the sizes of some files."""
        sampled = np.linspace(0, len(self) - 1, min(len(self), _NUM_SIZES)).astype(int)
        paths = (self.path(int(index)) for index in sampled)
        sizes = [path.stat().st_size if path.is_file() else None for path in paths]
        return hashlib.sha256(f"{self.names.digest()} {len(self)} {sizes}".encode()).hexdigest()


def expect_sides(image: Image, min_side_px: int, name: object) -> Image:
    """Return the image if both sides have at least `min_side_px`.

    Raises:
        UnfitError: A side is shorter.
    """
    if min(image.shape[1:]) < min_side_px:
        size = f"{name} of {image.shape[2]}x{image.shape[1]}"
        raise UnfitError(f"Expected sides of {min_side_px} px or more, but got {size}.")
    return image


class FolderSource(FileSource):
    """The images of a folder and its subfolders, sorted by path; hidden files and folders are skipped.

    Args:
        root: The folder.
        limit, min_side_px, min_bytes, key: See `FileSource`.

    Raises:
        UserError: The folder is missing or has no images, or one of its subfolders cannot be read.
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
        names = Names.join(sorted(_image_names(str(root))))
        super().__init__(root, names, limit, min_side_px, min_bytes, key)


def _image_names(root: str) -> Iterator[str]:
    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=_refuse_unreadable):
        # Hidden files are thumbnails, checkpoints of notebooks, trash, and the "._a.jpg" that macOS adds.
        visible = [name for name in subfolders if not name.startswith(".")]
        subfolders[:] = [name for name in visible if not _is_cycle(Path(folder, name), Path(root))]
        below = Path(folder).relative_to(root).as_posix()
        for file in files:
            if file.lower().endswith(SUFFIXES) and not file.startswith("."):
                yield file if below == "." else f"{below}/{file}"


def _refuse_unreadable(error: OSError) -> None:
    refuse("folders that can be read", f"{error.filename} ({error.strerror})", "Change its permissions or move it.")


def _is_cycle(folder: Path, root: Path) -> bool:
    """Return whether a link leads to one of its own parent folders, which would list the same images forever."""
    if not folder.is_symlink():
        return False
    target = folder.resolve()
    parents = (parent.resolve() for parent in folder.parents if parent.is_relative_to(root))
    return any(parent.is_relative_to(target) for parent in parents)


class ListSource(FileSource):
    """The images that a text file lists, one per line, in its order; a list of millions opens quickly.

    Args:
        names: The list.
        root: The folder to which its paths are relative; default: the folder of the list.
        limit, min_side_px, min_bytes, key: See `FileSource`.

    Raises:
        UserError: The list or its first image is missing, or the list is empty.
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
        expect(path.is_file(), "a list of images, one per line", f"{names}, which is not a file", f"Correct {key}.")
        super().__init__(root or path.parent, ListedNames(path), limit, min_side_px, min_bytes, key)
        first, remedy = self.path(0), f"Its paths are relative to {self.root}; set {key} to another folder."
        expect(first.is_file(), f"the images that {names} lists", f"no file {first}", remedy)
