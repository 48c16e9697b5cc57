"""An exponential moving average of what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from dgsr.checks import expect
from dgsr.models.trained import TrainedNetwork


class Ema:
    """Average a network's trainable tensors over the steps of a run, never below fp32.

    The decay rises to its value as (1 + step) / (10 + step), so that an untrained start is soon forgotten.

    Args:
        decay: Share of the average that remains after a step.
    """

    def __init__(self, decay: float) -> None:
        expect(0 < decay < 1, "run.ema_decay between 0 and 1", decay, "Or null for no average.")
        self.decay = decay
        self.average: dict[str, Tensor] = {}

    def start(self, network: TrainedNetwork) -> None:
        """Begin with the weights as they are, or go on with an average that was loaded, on their device."""
        for name, tensor in network.trainable_state().items():
            exact = torch.promote_types(tensor.dtype, torch.float32)
            self.average[name] = self.average.get(name, tensor).to(tensor.device, exact, copy=True)

    def update(self, network: TrainedNetwork, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in network.trainable_state().items():
            self.average[name].lerp_(tensor.to(self.average[name].dtype), 1 - decay)

    @contextmanager
    def applied(self, network: TrainedNetwork) -> Iterator[None]:
        """Put the average in place of the weights inside the block; before `start` they stay as they are."""
        raw = {name: tensor.clone() for name, tensor in network.trainable_state().items()}
        network.load_trainable_state(self.average or raw)
        try:
            yield
        finally:
            network.load_trainable_state(raw)
