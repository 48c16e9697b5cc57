"""Write a training checkpoint with weights alone: to evaluate, upscale and fine-tune, but not to resume."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from dgsr.checkpoints.described import name_of
from dgsr.checkpoints.trainer import under_generator, write_checkpoint
from dgsr.checks import expect
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.models.hub import is_stored
from dgsr.tensors import write_tensors


def save_training(
    generator: OneStepGenerator,
    path: str | Path,
    *,
    estimator: DegradationEstimator | None = None,
    scale: int = 4,
    guidance: float = 1.07,
) -> None:
    """Write a generator as a training run does, without optimizers.

    The estimator's weights are written beside it, and must be moved with it.

    Raises:
        UserError: The backbone lies in no folder, so that the networks could not be built again.
    """
    path = Path(path)
    description = {
        "generator": _generator_node(generator),
        "estimator": _estimator_node(estimator, estimator_file(path)),
        "scale": scale,
        "guidance": guidance,
    }
    counters = {"step": 0, "position": 0, "validations": []}
    ours = {**counters, "description": description, "fingerprint": generator.fingerprint()}
    write_checkpoint({"dgsr": ours, "state_dict": under_generator(generator.trainable_state())}, path)


def estimator_file(path: Path) -> Path:
    """Return the path of the estimator beside a checkpoint."""
    return path.with_suffix(".estimator.safetensors")


def _generator_node(generator: OneStepGenerator) -> dict[str, Any]:
    options = dataclasses.asdict(dataclasses.replace(generator.options, trainable=generator.trainable))
    if is_stored(generator.source):
        return {"_target_": name_of(OneStepGenerator.from_backbone), "path": generator.source, **options}
    rebuilt = generator.trainable == "all" and generator.source.startswith("tiny-")
    remedy = "Export it to a folder, which then holds its networks too."
    expect(rebuilt, "a backbone in a folder or on the hub", generator.source, remedy)
    vae, scheduler = (generator.architecture[part] for part in ("vae", "scheduler"))
    own = {"latent_channels": vae["latent_channels"], "prediction": scheduler["prediction_type"]}
    return {"_target_": name_of(OneStepGenerator.tiny), **own, **options}


def _estimator_node(estimator: DegradationEstimator | None, path: Path) -> dict[str, Any] | None:
    if estimator is None:
        return None
    write_tensors(estimator.state_dict(), path)
    return {"_target_": name_of(DegradationEstimator.from_file), "path": path.name, **estimator.shape}
