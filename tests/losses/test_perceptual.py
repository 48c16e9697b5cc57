"""Test LPIPS and DISTS as losses, and their gradients."""

from __future__ import annotations

import pytest
import torch

from dgsr.features import DistsDistance, LpipsDistance
from dgsr.losses import DistsLoss, LpipsLoss

LOSSES = [LpipsLoss("alex"), DistsLoss()]


def test_loss_equals_the_distance() -> None:
    sr, target = 2 * torch.rand(2, 2, 3, 64, 64) - 1
    assert torch.equal(LpipsLoss("alex")(sr, target), LpipsDistance("alex")(sr, target))
    assert torch.equal(DistsLoss()(sr, target), DistsDistance()((sr + 1) / 2, (target + 1) / 2))


@pytest.mark.parametrize("loss", LOSSES)
def test_target_receives_no_gradient(loss: LpipsLoss | DistsLoss) -> None:
    sr, target = (torch.rand(1, 3, 64, 64, requires_grad=True) for _ in range(2))
    loss(sr, target).sum().backward()
    assert sr.grad is not None
    assert sr.grad.abs().sum() > 0
    assert target.grad is None
    assert all(parameter.grad is None for parameter in loss.parameters())


@pytest.mark.parametrize("loss", LOSSES)
def test_gradient_step_lowers_the_loss(loss: LpipsLoss | DistsLoss) -> None:
    target = torch.rand(1, 3, 64, 64)
    sr = (target + 0.2 * torch.randn(1, 3, 64, 64)).requires_grad_()
    before = loss(sr, target)
    (gradient,) = torch.autograd.grad(before, sr)
    assert loss(sr - 0.1 * gradient / gradient.norm(), target) < before


@pytest.mark.parametrize("loss", LOSSES)
def test_flat_images_have_a_finite_gradient(loss: LpipsLoss | DistsLoss) -> None:
    sr = torch.zeros(1, 3, 64, 64, requires_grad=True)
    loss(sr, torch.rand(1, 3, 64, 64)).sum().backward()
    assert sr.grad is not None
    assert sr.grad.isfinite().all()
