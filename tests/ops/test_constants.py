"""Test the cache of constant tensors."""

from __future__ import annotations

import torch

from dgsr.ops.constants import constant

CPU = torch.device("cpu")


def test_constant_is_cached_per_device():
    matrix = constant(((1.0, 2.0), (3.0, 4.5)), CPU)
    assert matrix.tolist() == [[1.0, 2.0], [3.0, 4.5]]
    assert constant(((1.0, 2.0), (3.0, 4.5)), CPU) is matrix
    assert constant((1.0,), torch.device("meta")).is_meta
