"""Test learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from dgsr.training.loop.schedules import constant, cosine, linear


def _rates(schedule: Callable[..., Any], steps: int, **given: Any) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = schedule(optimizer, **given)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_constant_rises_during_warmup_only() -> None:
    assert _rates(constant, 5, warmup_steps=3) == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert _rates(constant, 3) == [2.0, 2.0, 2.0]


def test_cosine_decays_to_the_final_factor() -> None:
    rates = _rates(cosine, 12, total_steps=10, final_factor=0.1)
    expected = [2 * (0.1 + 0.9 * (1 + math.cos(math.pi * step / 10)) / 2) for step in range(10)]
    assert rates == pytest.approx([*expected, 0.2, 0.2])


def test_linear_decays_linearly() -> None:
    assert _rates(linear, 6, total_steps=4) == pytest.approx([2.0, 1.5, 1.0, 0.5, 0.0, 0.0])
