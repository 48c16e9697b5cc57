"""Test pixel losses against torch and values computed by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from dgsr.losses.pixel import charbonnier, l1, mse


@pytest.mark.parametrize(("ours", "theirs"), [(mse, functional.mse_loss), (l1, functional.l1_loss)])
def test_mean_over_a_batch_equals_torch(ours: Callable[..., Tensor], theirs: Callable[..., Tensor]) -> None:
    sr, target = torch.randn(2, 3, 3, 8, 10)
    assert torch.allclose(ours(sr, target).mean(), theirs(sr, target))


@pytest.mark.parametrize("loss", [mse, l1, charbonnier])
def test_each_image_has_its_own_value(loss: Callable[..., Tensor]) -> None:
    sr, target = torch.randn(2, 3, 3, 8, 10)
    one_by_one = torch.cat([loss(sr[i : i + 1], target[i : i + 1]) for i in range(3)])
    assert torch.allclose(loss(sr, target), one_by_one)


def test_charbonnier_by_hand() -> None:
    zeros = torch.zeros(1, 3, 4, 4)
    assert charbonnier(zeros, zeros).item() == pytest.approx(1e-3)
    assert charbonnier(zeros + 0.003, zeros).item() == pytest.approx(1e-3 * 10**0.5)


@pytest.mark.parametrize("loss", [mse, charbonnier])
def test_gradients_equal_finite_differences(loss: Callable[..., Tensor]) -> None:
    sr, target = torch.randn(2, 2, 3, 3, 3, dtype=torch.double)
    assert torch.autograd.gradcheck(loss, (sr.requires_grad_(), target))
