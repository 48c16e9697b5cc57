"""Create random generators that depend only on a seed and a purpose, not on earlier draws."""

from __future__ import annotations

import zlib

import numpy as np
import torch

_WORD = 2**64


def rng(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator that depends only on the seed and the purpose.

    Different purposes give independent streams, so that additional draws in one place do not change those in another.

    >>> bool(rng(3, "crop").random() == rng(3, "crop").random())
    True
    >>> bool(rng(3, "crop").random() == rng(3, "flip").random())
    False
    """
    # A purpose may be a file name that is not valid UTF-8.
    key = np.array([seed % _WORD, zlib.crc32(purpose.encode(errors="surrogateescape"))], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def torch_generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a torch generator like `rng`; its numbers differ between CPU and GPU."""
    drawn = int(rng(seed, purpose).integers(2**63 - 1))
    return torch.Generator(device=device).manual_seed(drawn)
