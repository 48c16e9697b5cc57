"""Photographs that stay in memory once they are read."""

from __future__ import annotations

import torch
from torch import Tensor

from dgsr.data.sources import Source
from dgsr.types import Image


class RememberedSource:
    """A small source whose photographs are decoded once in each process, and kept with 8 bits a channel.

    Args:
        source: The photographs.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._kept: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Image:
        """Return one photograph, read it if need be; errors are the source's."""
        if index not in self._kept:
            self._kept[index] = (self.source[index] * 255).round().to(torch.uint8)
        return self._kept[index] / 255

    def peers(self, index: int) -> range:
        """Return the source's."""
        return self.source.peers(index)

    def name(self, index: int) -> str:
        """Return the source's."""
        return self.source.name(index)

    def fingerprint(self) -> str:
        """Return the source's: the photographs are the same."""
        return self.source.fingerprint()
