"""What a training file holds: trained tensors and plain values, never the frozen backbone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dgsr.checkpoints.plain import read_plain
from dgsr.checks import expect
from dgsr.models.trained import TrainedNetwork

TrainedState = dict[str, Tensor]
Weights = Literal["auto", "raw", "ema"]


def trained_state(generator: TrainedNetwork, discriminator: nn.Module | None) -> TrainedState:
    """Collect the trained tensors of both networks, by prefixed name."""
    state = under_generator(generator.trainable_state())
    if discriminator is not None:
        state |= {f"discriminator.{name}": tensor for name, tensor in discriminator.state_dict().items()}
    return state


def restore_trained(state: TrainedState, generator: TrainedNetwork, discriminator: nn.Module | None) -> None:
    """Load what `trained_state` collected.

    Raises:
        UserError: Names or shapes differ, so the file belongs to another architecture.
    """
    generator.load_trainable_state(_under("generator.", state))
    if discriminator is None:
        return
    ours, theirs = discriminator.state_dict(), _under("discriminator.", state)
    differing = sorted(ours.keys() ^ theirs.keys()) or [n for n in ours if ours[n].shape != theirs[n].shape]
    remedy = "Keep the discriminator's settings, or start a new run."
    expect(not differing, "a checkpoint of this discriminator", f"one that differs in {_some(differing)}", remedy)
    discriminator.load_state_dict(theirs)


def restore_generator(checkpoint: dict[str, Any], generator: TrainedNetwork, weights: Weights = "auto") -> None:
    """Load the trained tensors of a training file into a generator alone."""
    generator.load_trainable_state(generator_state(checkpoint, weights))


def generator_state(checkpoint: dict[str, Any], weights: Weights = "auto") -> TrainedState:
    """Return the generator's tensors of a training file.

    Args:
        checkpoint: What the file holds.
        weights: As the last step left them (raw), averaged over the steps (ema), or averaged where the run did so.

    Raises:
        UserError: The average is asked for and the run had none.
    """
    averaged = "ema" in checkpoint
    remedy = "Ask for raw, or train with run.ema_decay."
    expect(averaged or weights != "ema", "a checkpoint with averaged weights", "one without", remedy)
    return _under("generator.", checkpoint["state_dict" if weights == "raw" or not averaged else "ema"])


def under_generator(state: TrainedState) -> TrainedState:
    """Name a generator's tensors as files that hold other networks too name them."""
    return {f"generator.{name}": tensor for name, tensor in state.items()}


def _under(prefix: str, state: TrainedState) -> TrainedState:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a training file of plain tensors and values onto the CPU.

    Raises:
        UserError: The file is missing, damaged, or not one of ours.
    """
    checkpoint = read_plain(path, "a training checkpoint", "Check ckpt_path.")
    remedy = "Released adapters are loaded with init_from=FILE."
    ours = {"dgsr", "state_dict"} <= checkpoint.keys() and isinstance(checkpoint["dgsr"], dict)
    expect(ours, "a training checkpoint of dgsr", path, remedy)
    return checkpoint


def write_atomically(checkpoint: dict[str, Any], path: Path) -> None:
    """Write under a temporary name and rename, so that a file with the final name is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
