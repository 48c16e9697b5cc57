"""Store millions of file names in little memory: one text with a name per line, and the start of each line."""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int64

from dgsr import files
from dgsr.checks import expect

_logger = logging.getLogger(__name__)

_CHUNK_BYTES = 2**26
_INDEXED_BYTES = 2**26  # shorter lists are scanned in well under a second
_NEWLINE = 10
_SIZE_IN_META_INFO = re.compile(r" \(\d+,\s*\d+,\s*\d+\)$")  # follows the name in BasicSR's lists

Starts = Int64[np.ndarray, " n"]


class Names:
    """A sequence of names that takes little memory, which forked loading processes share.

    Args:
        text: The names, each followed by a newline.
        starts: Offset of each name.
    """

    def __init__(self, text: bytes | mmap.mmap, starts: Starts) -> None:
        self._text, self._starts = text, starts

    @classmethod
    def join(cls, names: Iterable[str]) -> Names:
        """Store names.

        Raises:
            UserError: A name contains a line break.

        >>> list(Names.join(["a.png", "b/c.png"]))
        ['a.png', 'b/c.png']
        """
        text = "".join(f"{_one_line(name)}\n" for name in names).encode(errors="surrogateescape")
        return cls(text, _starts_of_lines([text]))

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> str:
        start = int(self._starts[index])
        end = self._text.find(b"\n", start)
        return self._text[start : end if end >= 0 else None].decode(errors="surrogateescape").rstrip("\r")

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def digest(self) -> str:
        """Return a hash of all names."""
        return hashlib.sha256(self._text).hexdigest()


def _one_line(name: str) -> str:
    expect("\n" not in name, "names of images without line breaks", repr(name), "Rename it.")
    return name


def bare_names(names: Sequence[str]) -> list[str]:
    """Remove the extensions of files, unless two of them would then have the same name.

    >>> bare_names(["a.png", "b.png", "b.jpg", "c.png", "c.png.jpg"])
    ['a', 'b.png', 'b.jpg', 'c', 'c.png.jpg']
    """
    bare = [PurePosixPath(file).with_suffix("").as_posix() for file in names]
    taken = Counter([*names, *bare])
    return [name if taken[name] == 1 else file for file, name in zip(names, bare, strict=True)]


class ListedNames(Names):
    """The lines of a text file, mapped into memory; the index of a long file is cached beside it.

    Args:
        path: The list. Empty lines are skipped; the size after a name, as in BasicSR's lists, is removed.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with self.path.open("rb") as file:
            text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.path.stat().st_size else b""
        super().__init__(text, _index(self.path))

    def __getitem__(self, index: int) -> str:
        return _SIZE_IN_META_INFO.sub("", super().__getitem__(index))

    def digest(self) -> str:
        """Return a hash of the file, read without the mapping so that it does not stay in memory."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def __reduce__(self) -> tuple[type[ListedNames], tuple[Path]]:
        return ListedNames, (self.path,)


def _index(path: Path) -> Starts:
    """Return the offsets of the lines of a file, from the index beside it if it is up to date."""
    state = path.stat()
    version = np.array([state.st_size, state.st_mtime_ns])
    index = path.with_name(f"{path.name}.index.npy")
    if index.is_file():
        cached = np.load(index, mmap_mode="r")
        if np.array_equal(cached[:2], version):
            return cached[2:]
    with path.open("rb") as file:
        starts = _starts_of_lines(iter(lambda: file.read(_CHUNK_BYTES), b""))
    if state.st_size >= _INDEXED_BYTES and os.access(path.parent, os.W_OK):
        with files.atomic(index) as temporary, temporary.open("wb") as file:
            np.save(file, np.concatenate([version, starts]))
        _logger.info("Wrote %s, an index of the %d lines, which the next run will use.", index, len(starts))
        return np.load(index, mmap_mode="r")[2:]
    return starts


def _starts_of_lines(chunks: Iterable[bytes]) -> Starts:
    """Return the offsets of the lines that are not empty."""
    newlines, length = list[np.ndarray](), 0
    for chunk in chunks:
        newlines.append(np.flatnonzero(np.frombuffer(chunk, np.uint8) == _NEWLINE) + length)
        length += len(chunk)
    bounds = np.concatenate([[-1], *newlines, [length]]) + 1
    return bounds[:-1][np.diff(bounds) > 1]
