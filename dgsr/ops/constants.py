"""Fixed numbers as tensors, brought to each device once."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

Numbers = tuple[int | float, ...] | tuple[tuple[int | float, ...], ...]


@functools.cache
def constant(numbers: Numbers, device: torch.device) -> Tensor:
    """Return a vector or matrix in float32; uploading it for each call would make a GPU wait each time."""
    return torch.tensor(numbers, dtype=torch.float32, device=device)
