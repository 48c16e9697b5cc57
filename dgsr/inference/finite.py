"""Refuse outputs of networks with NaN or Inf, which would otherwise become black pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from dgsr.checks import expect


def expect_finite(images: Tensor) -> Tensor:
    """Return the output of a network unchanged, if all of its numbers are finite.

    Raises:
        UserError: Some are NaN or infinite.
    """
    total = images.sum(dtype=torch.float32)  # needs no memory for a mask; finite only if all numbers are
    expect(bool(total.isfinite()), "finite numbers from the networks", "NaN or Inf", "Use other weights, or fp32.")
    return images
