"""Define the settings of a run that do not depend on the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dgsr.checks import expect


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Optimizers, duration and limits of a run.

    Attributes:
        optimizers: Functions from parameters to an optimizer, for `generator` (the network that a run is about) and
            `discriminator` (any critic's network).
        schedule: Function from an optimizer to its learning-rate schedule, stepped once per step.
        max_steps: Steps after which the run ends.
        clip_norm: Largest gradient norm, for `generator` and `discriminator`; None does not clip.
        micro_batch: Samples per forward; a step's batch is cut into such pieces.
        max_bad_steps: Consecutive steps with a loss or gradient that is not finite, after which the run stops.
        ema_decay: Average the network's weights over the steps and validate the average; None does not.
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

    def optimizer_of(self, network: str) -> Callable[..., Optimizer]:
        """Return the function that builds a network's optimizer."""
        return self.optimizers[_role(network)]

    def clip_norm_of(self, network: str) -> float | None:
        """Return the largest norm of a network's gradient."""
        return self.clip_norm[_role(network)]


def _role(network: str) -> str:
    return "generator" if network == "generator" else "discriminator"
