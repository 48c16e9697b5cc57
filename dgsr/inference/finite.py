"""Refuse what networks give if it holds NaN, of which pixels would show nothing but black."""

from __future__ import annotations

import torch
from torch import Tensor

from dgsr.checks import expect


def expect_finite(images: Tensor) -> Tensor:
    """Return what a network has images, if all of it are finite numbers.

    Raises:
        UserError: Some are NaN or infinite.
    """
    total = images.sum(dtype=torch.float32)  # takes no memory; it is finite unless one of them is not
    expect(bool(total.isfinite()), "finite numbers from the networks", "NaN or Inf", "Take other weights, or fp32.")
    return images
