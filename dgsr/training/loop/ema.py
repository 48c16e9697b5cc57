"""Average the trained weights exponentially over steps, and validate the average."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor

from dgsr.checks import expect
from dgsr.models.trained import TrainedNetwork


class Ema:
    """Average a network's trainable tensors over the steps of a run, in fp32 or better.

    The decay rises to its value as (1 + step) / (10 + step), so that the initial weights lose their influence quickly.

    Args:
        decay: Share of the average that remains after a step.
    """

    def __init__(self, decay: float) -> None:
        expect(0 < decay < 1, "run.ema_decay between 0 and 1", decay, "Or null for no average.")
        self.decay = decay
        self.average: dict[str, Tensor] = {}
        self._raw: dict[str, Tensor] = {}

    def start(self, network: TrainedNetwork) -> None:
        """Begin with the current weights, or continue a loaded average, on the weights' device."""
        for name, tensor in network.trainable_state().items():
            exact = torch.promote_types(tensor.dtype, torch.float32)
            self.average[name] = self.average.get(name, tensor).to(tensor.device, exact, copy=True)

    def update(self, network: TrainedNetwork, step: int) -> None:
        """Add the weights after a step, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in network.trainable_state().items():
            self.average[name].lerp_(tensor.to(self.average[name].dtype), 1 - decay)

    def swap_in(self, network: TrainedNetwork) -> None:
        """Replace the weights by their average, until `swap_out`; before `start` they stay as they are."""
        if self.average:
            self._raw = {name: tensor.clone() for name, tensor in network.trainable_state().items()}
            network.load_trainable_state(self.average)

    def swap_out(self, network: TrainedNetwork) -> None:
        """Restore the weights that `swap_in` replaced, if it did."""
        if self._raw:
            network.load_trainable_state(self._raw)
            self._raw = {}


class AverageInValidation(lightning.Callback):
    """Validate the average: swap it in once per validation, and out before any checkpoint is written.

    Args:
        ema: The average.
        network: The network whose weights are averaged.
    """

    def __init__(self, ema: Ema, network: TrainedNetwork) -> None:
        self.ema, self.network = ema, network

    def on_validation_epoch_start(self, *_: Any) -> None:
        """Swap the average in."""
        self.ema.swap_in(self.network)

    def on_validation_epoch_end(self, *_: Any) -> None:
        """Restore the weights."""
        self.ema.swap_out(self.network)

    def on_exception(self, *_: Any) -> None:
        """Restore the weights if a validation was interrupted."""
        self.ema.swap_out(self.network)
