"""Refuse network outputs with NaN, which would be written as black pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from dgsr.checks import expect


def expect_finite(output: Tensor) -> Tensor:
    """Return a network's output if all its values are finite.

    Raises:
        UserError: Some values are NaN or infinite.
    """
    total = output.sum(dtype=torch.float32)  # needs no extra memory; finite only if all values are
    expect(bool(total.isfinite()), "finite numbers from the networks", "NaN or Inf", "Use other weights, or fp32.")
    return output
