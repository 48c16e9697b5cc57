"""Cache constant tensors per device."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

Numbers = tuple[int | float, ...] | tuple[tuple[int | float, ...], ...]


@functools.cache
def constant(numbers: Numbers, device: torch.device) -> Tensor:
    """Return a cached vector or matrix in float32; an upload per call would stall a GPU."""
    return torch.tensor(numbers, dtype=torch.float32, device=device)
