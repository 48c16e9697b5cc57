"""Read and write training checkpoints: trained tensors and plain values, never the frozen backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from dgsr.checks import expect
from dgsr.files import atomic
from dgsr.models.trained import TrainedNetwork
from dgsr.tensors import read_plain

TrainedState = dict[str, Tensor]
Weights = Literal["auto", "raw", "ema"]


def restore_generator(checkpoint: dict[str, Any], generator: TrainedNetwork, weights: Weights = "auto") -> None:
    """Load the trained tensors of a training checkpoint into a generator."""
    generator.load_trainable_state(generator_state(checkpoint, weights))


def generator_state(checkpoint: dict[str, Any], weights: Weights = "auto") -> TrainedState:
    """Return the generator's tensors in a training checkpoint.

    Args:
        checkpoint: The content of the file.
        weights: As the last step left them (raw), averaged over the steps (ema), or averaged if the run did so (auto).

    Raises:
        UserError: The average is requested and the run had none.
    """
    averaged = "ema" in checkpoint
    remedy = "Use raw, or train with run.ema_decay."
    expect(averaged or weights != "ema", "a checkpoint with averaged weights", "one without", remedy)
    return _under("generator.", checkpoint["state_dict" if weights == "raw" or not averaged else "ema"])


def under_generator(state: TrainedState) -> TrainedState:
    """Prefix a generator's tensors, for files that also hold other networks."""
    return {f"generator.{name}": tensor for name, tensor in state.items()}


def _under(prefix: str, state: TrainedState) -> TrainedState:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a training checkpoint onto the CPU.

    Raises:
        UserError: The file is missing, damaged, or not one of ours.
    """
    checkpoint = read_plain(path, "a training checkpoint", "Check ckpt_path.")
    remedy = "Released adapters are loaded with init_from=FILE."
    ours = {"dgsr", "state_dict"} <= checkpoint.keys() and isinstance(checkpoint["dgsr"], dict)
    expect(ours, "a training checkpoint of dgsr", path, remedy)
    return checkpoint


def write_checkpoint(checkpoint: dict[str, Any], path: Path) -> None:
    """Write a file of tensors and plain values atomically: a file with the final name is always whole."""
    # An open file, since torch reports a full disk as OSError only when Python writes.
    with atomic(path) as temporary, temporary.open("wb") as file:
        torch.save(checkpoint, file)
