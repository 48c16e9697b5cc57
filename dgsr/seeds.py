"""Random numbers that are a pure function of a seed and a purpose, never of what was drawn before."""

from __future__ import annotations

import zlib

import numpy as np
import torch

_WORD = 2**64


def rng(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator whose draws depend on the seed and the purpose alone.

    Two purposes of one seed give independent streams, so that a new draw in one place changes none in another.

    >>> bool(rng(3, "crop").random() == rng(3, "crop").random())
    True
    >>> bool(rng(3, "crop").random() == rng(3, "flip").random())
    False
    """
    # A purpose may be the name of a file, which need not be text.
    key = np.array([seed % _WORD, zlib.crc32(purpose.encode(errors="surrogateescape"))], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def torch_generator(seed: int, purpose: str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return the same for tensors; the numbers differ between kinds of device."""
    drawn = int(rng(seed, purpose).integers(2**63 - 1))
    return torch.Generator(device=device).manual_seed(drawn)
