"""Test R1 against gradients computed by hand."""

from __future__ import annotations

import torch

from dgsr.losses import r1

REAL = torch.randn(2, 3, 4, 5, dtype=torch.double, generator=torch.Generator().manual_seed(0))


def test_penalty_of_a_quadratic_by_hand() -> None:
    real, factor = REAL.clone().requires_grad_(), torch.tensor(0.7, dtype=torch.double, requires_grad=True)
    penalty = r1(real, [factor * real.square().sum(dim=(1, 2, 3))[:, None] / 2])
    assert torch.isclose(penalty, (0.7 * REAL).square().sum() / 4)  # ∇ = factor · x; half of it, over two images
    (slope,) = torch.autograd.grad(penalty, factor)
    assert torch.isclose(slope, 0.7 * REAL.square().sum() / 2)


def test_levels_are_averaged_over_positions() -> None:
    real = REAL.clone().requires_grad_()
    penalty = r1(real, [real[:, :1] * 3, real.mean(dim=(1, 2, 3))[:, None] * 2])
    slope = torch.full((3, 4, 5), 2 / 60)
    slope[0] += 3 / 20
    assert torch.isclose(penalty, slope.square().sum().double() / 2)
