"""LPIPS as a loss: where its gradient goes."""

from __future__ import annotations

import torch

from dgsr.features import LpipsDistance
from dgsr.losses import LpipsLoss


def test_its_value_is_the_distance() -> None:
    sr, target = 2 * torch.rand(2, 2, 3, 64, 64) - 1
    assert torch.equal(LpipsLoss("alex")(sr, target), LpipsDistance("alex")(sr, target))


def test_only_the_image_gets_a_gradient() -> None:
    loss = LpipsLoss("alex")
    sr, target = (torch.rand(1, 3, 64, 64, requires_grad=True) for _ in range(2))
    loss(sr, target).sum().backward()
    assert sr.grad is not None
    assert sr.grad.abs().sum() > 0
    assert target.grad is None
    assert all(parameter.grad is None for parameter in loss.parameters())


def test_the_gradient_lowers_the_loss() -> None:
    loss = LpipsLoss("vgg")
    target = torch.rand(1, 3, 32, 32)
    sr = (target + 0.2 * torch.randn(1, 3, 32, 32)).requires_grad_()
    before = loss(sr, target)
    (gradient,) = torch.autograd.grad(before, sr)
    assert loss(sr - 0.1 * gradient / gradient.norm(), target) < before


def test_flat_images_have_a_finite_gradient() -> None:
    sr = torch.zeros(1, 3, 64, 64, requires_grad=True)
    LpipsLoss("alex")(sr, torch.rand(1, 3, 64, 64)).sum().backward()
    assert sr.grad is not None
    assert sr.grad.isfinite().all()
