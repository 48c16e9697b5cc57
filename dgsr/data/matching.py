"""Match low-quality and high-quality images by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import PurePosixPath

from dgsr.checks import expect
from dgsr.data.names import Names
from dgsr.data.sources import FileSource

_SUFFIX = re.compile(r"([_-](lr|hr|lq|hq|gt|sr)\d*|[_-]out|([_-]|(?<=\d))x\d(out)?)$", re.IGNORECASE)
_LQ_SUFFIX = re.compile(r"[_-](lr|lq)\d*\.\w+$", re.IGNORECASE)
_HQ_SUFFIX = re.compile(r"[_-](hr|hq|gt)\.\w+$", re.IGNORECASE)


def matched(first: FileSource, second: FileSource) -> list[tuple[int, int]]:
    """Pair the indices of images with equal paths, or else equal names, without file extensions.

    If some images have no partner, suffixes of published sets and programs (`_LR4`, `_HR`, `_LQ`, `_GT`, `x4`, `_sr`,
    `_out`, `_x4out`) are stripped, up to twice on either side, but only if all images of a side have one. If both
    sides share a subfolder, paths are compared and not names.

    Raises:
        UserError: An image has no partner, or several.
    """
    paths = [[PurePosixPath(name).with_suffix("").as_posix() for name in source.names] for source in (first, second)]
    names = [[PurePosixPath(path).name for path in side] for side in paths]
    folders = [{str(PurePosixPath(path).parent) for path in side} - {"."} for side in paths]
    compared = (paths,) if folders[0] & folders[1] else (paths, names)
    candidates = (candidate for sides in compared for candidate in product(*map(_variants, sides)))
    sides = min(candidates, key=_num_unpaired)  # of equal ones the first, which strips the least
    for source, side in zip((first, second), sides, strict=True):
        expect(len(set(side)) == len(side), "one image of each name", f"several in {source.root}", "Keep one of each.")
    lq, hq = ({name: index for index, name in enumerate(side)} for side in sides)
    unpaired = sorted(lq.keys() ^ hq.keys())
    folders = " and ".join(dict.fromkeys(str(source.root) for source in (first, second)))
    remedy = f"Give each a partner of the same name in {folders}."
    expect(not unpaired, "pairs of images", f"{', '.join(unpaired[:5])} ({len(unpaired)} without a partner)", remedy)
    return [(lq[name], hq[name]) for name in sorted(lq)]


def split_by_suffix(folder: FileSource, key: str) -> tuple[FileSource, FileSource]:
    """Split a folder into its low-quality and high-quality images, named `_LR4` and `_HR` as in RealSR.

    Args:
        folder: The folder with both.
        key: The config node that errors name.

    Raises:
        UserError: One of both is missing, or some images have neither suffix.
    """
    lq, hq = ([name for name in folder.names if suffix.search(name)] for suffix in (_LQ_SUFFIX, _HQ_SUFFIX))
    others = sorted({*folder.names} - {*lq, *hq})
    expected = f"names in {folder.root} that end in _LR or _LQ, or in _HR, _HQ or _GT"
    got = f"{len(lq)} of the former, {len(hq)} of the latter and {len(others)} others {', '.join(others[:5])}".strip()
    remedy = f"Rename them, or name two folders as {key}.lq and {key}.hq."
    expect(bool(lq and hq and not others), expected, got, remedy)
    root = folder.root
    return FileSource(root, Names.join(lq), key=f"{key}.lq"), FileSource(root, Names.join(hq), key=f"{key}.hq")


def _variants(names: Sequence[str]) -> list[Sequence[str]]:
    """Return the names as they are, with one suffix stripped, and with two."""
    once = strip_suffixes(names)
    return [names, once, strip_suffixes(once)]


def strip_suffixes(names: Sequence[str]) -> Sequence[str]:
    """Strip a known suffix from each name, if all have one."""
    return [_SUFFIX.sub("", name) for name in names] if all(map(_SUFFIX.search, names)) else names


def _num_unpaired(sides: Sequence[Sequence[str]]) -> int:
    """Count the names without a partner and the duplicates on each side."""
    first, second = map(set, sides)
    return len(first ^ second) + sum(map(len, sides)) - len(first) - len(second)
