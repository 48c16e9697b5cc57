"""Which images belong together, told by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import PurePosixPath

from dgsr.checks import expect
from dgsr.data.names import Names
from dgsr.data.sources import FileSource

_APPENDED = re.compile(r"([_-](lr|hr|lq|hq|gt|sr)\d*|[_-]out|([_-]|(?<=\d))x\d(out)?)$", re.IGNORECASE)
_DEGRADED = re.compile(r"[_-](lr|lq)\d*\.\w+$", re.IGNORECASE)
_SHARP = re.compile(r"[_-](hr|hq|gt)\.\w+$", re.IGNORECASE)


def matched(first: FileSource, second: FileSource) -> list[tuple[int, int]]:
    """Pair the indices of images that agree in path, or else in name, whatever the files' endings.

    Where they do not agree, what published sets and programs append is left out, up to twice on either side: `_LR4`,
    `_HR`, `_LQ`, `_GT`, `x4`, `_sr`, `_out`, `_x4out`; where only some images of a side end so, it is part of their
    names. Folders tell images apart where both sides have one of the same name.

    Raises:
        UserError: An image has no partner, or several.
    """
    paths = [[PurePosixPath(name).with_suffix("").as_posix() for name in source.names] for source in (first, second)]
    names = [[PurePosixPath(path).name for path in side] for side in paths]
    folders = [{str(PurePosixPath(path).parent) for path in side} - {"."} for side in paths]
    told_by = (paths,) if folders[0] & folders[1] else (paths, names)
    ways = (way for sides in told_by for way in product(*map(_readings, sides)))
    sides = min(ways, key=_num_unpaired)  # the first of those that pair all, as the strictest come first
    for source, side in zip((first, second), sides, strict=True):
        expect(len(set(side)) == len(side), "one image of each name", f"several in {source.root}", "Keep one of each.")
    here, there = ({name: index for index, name in enumerate(side)} for side in sides)
    alone = sorted(here.keys() ^ there.keys())
    places = " and ".join(dict.fromkeys(str(source.root) for source in (first, second)))
    remedy = f"Give each a partner of the same name in {places}."
    expect(not alone, "pairs of images", f"{', '.join(alone[:5])} ({len(alone)} without a partner)", remedy)
    return [(here[name], there[name]) for name in sorted(here)]


def told_apart(folder: FileSource, key: str) -> tuple[FileSource, FileSource]:
    """Return the degraded and the sharp images of one folder, as RealSR has them: `_LR4` beside `_HR`.

    Args:
        folder: Which holds both.
        key: The config node that errors name.

    Raises:
        UserError: There are only images of one kind, or some of neither.
    """
    degraded, sharp = ([name for name in folder.names if ending.search(name)] for ending in (_DEGRADED, _SHARP))
    others = sorted({*folder.names} - {*degraded, *sharp})
    what = f"names in {folder.root} of which some end in _LR or _LQ, and the others in _HR, _HQ or _GT"
    got = f"{len(degraded)}, {len(sharp)} and {len(others)} with neither {', '.join(others[:5])}".strip()
    remedy = f"Rename them, or name two folders as {key}.lq and {key}.hq."
    expect(bool(degraded and sharp and not others), what, got, remedy)
    root = folder.root
    return FileSource(root, Names.of(degraded), key=f"{key}.lq"), FileSource(root, Names.of(sharp), key=f"{key}.hq")


def _readings(names: Sequence[str]) -> list[Sequence[str]]:
    """Return names as they are, then without what is appended to all, then without what stood before that."""
    once = _less(names)
    return [names, once, _less(once)]


def _less(names: Sequence[str]) -> Sequence[str]:
    return [_APPENDED.sub("", name) for name in names] if all(map(_APPENDED.search, names)) else names


def _num_unpaired(sides: Sequence[Sequence[str]]) -> int:
    """Count the names without a partner, and those that another image of their side has."""
    here, there = map(set, sides)
    return len(here ^ there) + sum(map(len, sides)) - len(here) - len(there)
