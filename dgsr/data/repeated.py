"""The same photographs several times over, under names of their own."""

from __future__ import annotations

from dgsr.data.sources import Source
from dgsr.types import Image


class RepeatedSource:
    """Every photograph of a source so many times: what depends on names, such as a fixed degradation, differs.

    Args:
        source: The photographs.
        times: How often each comes.
    """

    def __init__(self, source: Source, times: int) -> None:
        self.source, self.times = source, times

    def __len__(self) -> int:
        return len(self.source) * self.times

    def __getitem__(self, index: int) -> Image:
        """Return one photograph; errors are the source's."""
        return self.source[index % len(self.source)]

    def peers(self, index: int) -> range:
        """Return all."""
        return range(len(self))

    def name(self, index: int) -> str:
        """Return the source's name, and from the second time on which time it is."""
        time, place = divmod(index, len(self.source))
        return f"{self.source.name(place)}#{time}" if time else self.source.name(place)

    def fingerprint(self) -> str:
        """Return the source's with the number of times."""
        return f"{self.times} x {self.source.fingerprint()}"
