"""Where less than full precision stops: what autocast or TF32 would spoil is computed in full."""

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
    """Return what a half cannot hold in fp32; fp64 stays."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def computing_in(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Let autocast compute in a precision inside the block; fp32 leaves it, so that fp64 stays.

    Raises:
        UserError: As `expect_computable`.
    """
    expect_computable(precision, device)
    # Each weight is used once in a block, so that what it was cast to need not be kept.
    return torch.autocast(device.type, _HALVES.get(precision), precision in _HALVES, cache_enabled=False)


def expect_computable(precision: Precision, device: torch.device) -> None:
    """Refuse what is no precision, and fp16 on processors, which do more in bf16: the autoencoder too.

    Raises:
        UserError: It is none that the device computes in.
    """
    fitting = ("fp32", "bf16") if device.type == "cpu" else ("fp32", *_HALVES)
    what = f"a precision among {', '.join(fitting)} on {device}"
    expect(precision in fitting, what, precision, f"Take {fitting[-1]}.")


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
