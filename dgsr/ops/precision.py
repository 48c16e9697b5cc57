"""Where less than full precision stops: what autocast or TF32 would spoil is computed in full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor


def at_least_fp32(tensor: Tensor) -> Tensor:
    """Return what a half cannot hold in fp32; fp64 stays."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def in_full(device: torch.device) -> AbstractContextManager[object]:
    """Leave autocast inside the block: operations keep the precision of their inputs."""
    return torch.autocast(device.type, enabled=False)


@contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """Leave also TF32 inside the block, in which GPUs convolve unless told otherwise: for what is measured."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        with in_full(device):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def never_fp16(device: torch.device) -> AbstractContextManager[object]:
    """Leave autocast to fp16 inside the block, whose largest number is 65 504; autocast to bf16 stays."""
    kind = device.type
    to_fp16 = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.float16
    return in_full(device) if to_fp16 else nullcontext()
