"""Repeat photographs under different names."""

from __future__ import annotations

from dgsr.data.sources import Source
from dgsr.types import Image


class RepeatedSource:
    """Every photograph of a source several times, each time under another name and so with another fixed degradation.

    Args:
        source: The photographs.
        times: Number of repetitions.
    """

    def __init__(self, source: Source, times: int) -> None:
        self.source, self.times = source, times

    def __len__(self) -> int:
        return len(self.source) * self.times

    def __getitem__(self, index: int) -> Image:
        """Return one photograph; raises what the source raises."""
        return self.source[index % len(self.source)]

    def peers(self, index: int) -> range:
        """Return all indices."""
        return range(len(self))

    def name(self, index: int) -> str:
        """Return the source's name, with the number of the repetition from the second on."""
        repetition, place = divmod(index, len(self.source))
        return f"{self.source.name(place)}#{repetition}" if repetition else self.source.name(place)

    def fingerprint(self) -> str:
        """Return the source's fingerprint with the number of repetitions."""
        return f"{self.times} x {self.source.fingerprint()}"
