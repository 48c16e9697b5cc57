"""Which images belong together, told by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import PurePosixPath

from dgsr.checks import expect
from dgsr.data.sources import FileSource

_APPENDED = re.compile(r"([_-](lr|hr|lq|hq|gt|sr|out)\d?|[_-]?x\d(out)?)$", re.IGNORECASE)


def matched(first: FileSource, second: FileSource) -> list[tuple[int, int]]:
    """Pair the indices of images that agree in path, or else in name, whatever the files' endings.

    Where they do not agree, what published sets and programs append is left out, up to twice on either side: `_LR4`,
    `_HR`, `_LQ`, `_GT`, `x4`, `_sr`, `_out`, `_x4out`.

    Raises:
        UserError: An image has no partner, or several.
    """
    paths = [[PurePosixPath(name).with_suffix("").as_posix() for name in source.names] for source in (first, second)]
    names = [[PurePosixPath(path).name for path in side] for side in paths]
    ways = (way for sides in (paths, names) for way in product(*map(_readings, sides)))
    sides = min(ways, key=_num_unpaired)  # the first of those that pair all, as the strictest come first
    for source, side in zip((first, second), sides, strict=True):
        expect(len(set(side)) == len(side), "one image of each name", f"several in {source.root}", "Keep one of each.")
    here, there = ({name: index for index, name in enumerate(side)} for side in sides)
    alone = sorted(here.keys() ^ there.keys())
    remedy = f"Give each a partner of the same name in {first.root} and {second.root}."
    expect(not alone, "pairs of images", f"{', '.join(alone[:5])} ({len(alone)} without a partner)", remedy)
    return [(here[name], there[name]) for name in sorted(here)]


def _readings(names: Sequence[str]) -> list[Sequence[str]]:
    """Return names as they are, then without what is appended, then without what stood before that."""
    once = [_APPENDED.sub("", name) for name in names]
    return [names, once, [_APPENDED.sub("", name) for name in once]]


def _num_unpaired(sides: Sequence[Sequence[str]]) -> int:
    """Count the names without a partner, and those that another image of their side has."""
    here, there = map(set, sides)
    return len(here ^ there) + sum(map(len, sides)) - len(here) - len(there)
