"""Test that tensor types accept only their shapes and dtypes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dgsr import types


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (types.Images, torch.zeros(2, 3, 5, 7), torch.zeros(2, 1, 5, 7)),
        (types.Image, torch.zeros(3, 5, 7), torch.zeros(1, 3, 5, 7)),
        (types.Scores, torch.zeros(4, 2), torch.zeros(4, 3)),
        (types.PromptEmbeddings, torch.zeros(1, 77, 24), torch.zeros(77, 24)),
        (types.BlockMatrices, torch.zeros(2, 10, 8, 8), torch.zeros(2, 10, 8, 4)),
        (types.Seeds, torch.zeros(3, dtype=torch.int64), torch.zeros(3)),
    ],
)
def test_types_check_shape_and_dtype(kind: Any, good: torch.Tensor, bad: torch.Tensor) -> None:
    assert isinstance(good, kind)
    assert not isinstance(bad, kind)
