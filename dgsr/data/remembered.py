"""Keep photographs in memory once they are read."""

from __future__ import annotations

import torch
from torch import Tensor

from dgsr.data.sources import Source
from dgsr.types import Image


class RememberedSource:
    """A source whose photographs each process decodes once and keeps with 8 bits per channel; for small sources.

    Args:
        source: The photographs.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._photographs: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Image:
        """Return one photograph, read at its first use; raises what the source raises."""
        if index not in self._photographs:
            self._photographs[index] = (self.source[index] * 255).round().to(torch.uint8)
        return self._photographs[index] / 255

    def peers(self, index: int) -> range:
        """Return the source's peers."""
        return self.source.peers(index)

    def name(self, index: int) -> str:
        """Return the source's name."""
        return self.source.name(index)

    def fingerprint(self) -> str:
        """Return the source's fingerprint, as the photographs are the same."""
        return self.source.fingerprint()
