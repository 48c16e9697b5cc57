"""Learning-rate schedules, as factors of the optimizer's rate."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant(optimizer: Optimizer, warmup_steps: int = 0) -> LambdaLR:
    """Keep the rate, after a linear rise over the warm-up."""
    return LambdaLR(optimizer, lambda step: _rise(step, warmup_steps))


def cosine(optimizer: Optimizer, total_steps: int, warmup_steps: int = 0, final_factor: float = 0.0) -> LambdaLR:
    """Let the rate fall to the final factor along half a cosine, after the warm-up."""

    def factor(step: int) -> float:
        done = min(1.0, max(0, step - warmup_steps) / max(1, total_steps - warmup_steps))
        return _rise(step, warmup_steps) * (final_factor + (1 - final_factor) * (1 + math.cos(math.pi * done)) / 2)

    return LambdaLR(optimizer, factor)


def linear(optimizer: Optimizer, total_steps: int, warmup_steps: int = 0, final_factor: float = 0.0) -> LambdaLR:
    """Let the rate fall to the final factor along a line, after the warm-up."""

    def factor(step: int) -> float:
        done = min(1.0, max(0, step - warmup_steps) / max(1, total_steps - warmup_steps))
        return _rise(step, warmup_steps) * (1 + (final_factor - 1) * done)

    return LambdaLR(optimizer, factor)


def _rise(step: int, warmup_steps: int) -> float:
    return min(1.0, (step + 1) / (warmup_steps + 1))
