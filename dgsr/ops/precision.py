"""Control autocast and TF32, and keep sensitive computations in full precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch
from torch import Tensor

from dgsr.checks import expect

Precision = Literal["fp32", "bf16", "fp16"]

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def at_least_fp32(tensor: Tensor) -> Tensor:
    """Convert half precision to fp32; fp32 and fp64 are unchanged."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def computing_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Enable autocast to a half precision inside the block, or disable it for fp32.

    Raises:
        UserError: The device does not support the precision.
    """
    expect_computable(precision, device)
    # Each weight is used once per block, so that caching its cast copy would only take memory.
    return torch.autocast(device.type, _HALVES.get(precision), precision in _HALVES, cache_enabled=False)


def expect_computable(precision: Precision, device: torch.device) -> None:
    """Refuse unknown precisions, and fp16 on CPUs, where bf16 also covers the autoencoder.

    Raises:
        UserError: The device does not support the precision.
    """
    fitting = ("fp32", "bf16") if device.type == "cpu" else ("fp32", *_HALVES)
    expected = f"a precision among {', '.join(fitting)} on {device}"
    expect(precision in fitting, expected, precision, f"Use {fitting[-1]}.")


def in_full(device: torch.device) -> AbstractContextManager[object]:
    """Disable autocast inside the block: operations keep the precision of their inputs."""
    return torch.autocast(device.type, enabled=False)


@contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """Disable autocast and cuDNN's TF32 inside the block, for measurements."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        with in_full(device):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def never_fp16(device: torch.device) -> AbstractContextManager[object]:
    """Disable autocast to fp16, whose range ends at 65504, inside the block; autocast to bf16 stays enabled."""
    kind = device.type
    to_fp16 = torch.is_autocast_enabled(kind) and torch.get_autocast_dtype(kind) == torch.float16
    return in_full(device) if to_fp16 else nullcontext()
