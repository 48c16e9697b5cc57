"""How a run trains, whatever its networks are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checks import expect


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the optimisation needs beside networks and losses.

    Attributes:
        optimizers: For each network, parameters to optimizer.
        schedule: Optimizer to its learning-rate schedule, stepped once a step.
        max_steps: Steps after which the run ends.
        clip_norm: For each network, the largest norm of its gradient; None clips nothing.
        micro_batch: Samples per forward; a step's batch is cut into such pieces.
        max_bad_steps: Steps in a row with a loss or gradient that is not finite, after which the run stops.
        ema_decay: Average the generator's weights over the steps and validate that; None does not.
        description: Plain values stored in checkpoints, from which the networks can be built again.
    """

    optimizers: Mapping[str, Callable[..., Optimizer]]
    schedule: Callable[..., LambdaLR]
    max_steps: int
    clip_norm: Mapping[str, float | None]
    micro_batch: int = 4
    max_bad_steps: int = 10
    ema_decay: float | None = None
    description: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expect(self.max_steps > 0, "run.max_steps above 0", self.max_steps)
        expect(self.micro_batch > 0, "run.micro_batch above 0", self.micro_batch)
