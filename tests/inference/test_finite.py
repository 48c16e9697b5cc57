"""One number that is none is found, whatever the others are."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.inference.finite import expect_finite


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_finite_numbers_pass(dtype: torch.dtype) -> None:
    made = torch.full((1, 3, 64, 64), 60000, dtype=dtype)  # more, together, than half precision holds
    assert expect_finite(made) is made


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_a_single_other_is_refused(value: float) -> None:
    made = torch.rand(1, 3, 64, 64)
    made[0, 1, 2, 3] = value
    with pytest.raises(UserError, match="finite numbers from the networks, but got NaN or Inf"):
        expect_finite(made)
