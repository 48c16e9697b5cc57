"""Load a model from any source: an exported folder, a hub id, a training checkpoint or an authors' file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dgsr.checkpoints.described import described_estimator, described_generator
from dgsr.checkpoints.kinds import kind_of
from dgsr.checkpoints.pretrained import describe, load_estimator, load_pretrained
from dgsr.checkpoints.s3diff import load_s3diff, s3diff_inference
from dgsr.checkpoints.trainer import Weights, read_checkpoint, restore_generator
from dgsr.checks import expect
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

#: The small upscaler in the package; its model card says how it was trained.
BUNDLED = "bundled:tiny-upscaler"

#: The backbone of the authors' released file.
SD_TURBO = "stabilityai/sd-turbo"


@dataclass(frozen=True)
class Model:
    """The networks that upscale, with their intended scale and guidance; some sources come without an estimator."""

    generator: OneStepGenerator
    estimator: DegradationEstimator | None
    scale: int = 4
    guidance: float = 1.07

    def fingerprint(self) -> str:
        """Return a short fingerprint of all trained weights, and of a sample of the frozen ones."""
        digest = hashlib.sha256(f"{self.generator.fingerprint()} {self.generator.options}".encode())
        estimator = {} if self.estimator is None else self.estimator.state_dict()
        for name, tensor in (self.generator.trainable_state() | estimator).items():
            digest.update(name.encode())
            digest.update(tensor.contiguous().flatten().view(torch.uint8).cpu().numpy().tobytes())
        return digest.hexdigest()[:16]


def load_model(
    source: str | Path, backbone: str | None = None, estimator: str | None = None, weights: Weights = "auto"
) -> Model:
    """Build the model that a source of any kind holds.

    Args:
        source: An exported folder, a hub id, `bundled:<path>`, a training checkpoint or an authors' file.
        backbone: Folder or hub id of the diffusion model, if the recorded one does not exist on this machine.
        estimator: Weight file of the degradation estimator, in place of the source's own.
        weights: Weights of a training checkpoint: raw, ema, or the average if there is one (auto).

    Raises:
        UserError: A part is missing, damaged, or does not fit the others.
    """
    given = DegradationEstimator.from_file(estimator) if estimator else None
    kind = kind_of(source)
    chosen = kind == "training" or weights == "auto"
    expect(chosen, f"a training checkpoint to take {weights} weights from", source, "Other sources hold one kind.")
    match kind:
        case "export":
            inference = _inference(describe(source)["inference"], source)
            return Model(load_pretrained(source, backbone), given or load_estimator(source), **inference)
        case "training":
            return _from_training(Path(source), backbone, given, weights)
        case "s3diff":
            inference = _inference(s3diff_inference(Path(source)), source)
            return Model(load_s3diff(source, backbone or SD_TURBO), given, **inference)


def _from_training(path: Path, backbone: str | None, estimator: DegradationEstimator | None, weights: Weights) -> Model:
    checkpoint = read_checkpoint(path)
    nodes = checkpoint["dgsr"].get("description", {})
    generator = described_generator(nodes.get("generator"), path, backbone)
    restore_generator(checkpoint, generator, weights)
    same = generator.fingerprint() == checkpoint["dgsr"].get("fingerprint")
    expect(same, f"the backbone that {path} was trained on", "another one", "Name the right one.")
    inference = _inference(nodes, path)
    return Model(generator, estimator or described_estimator(nodes.get("estimator"), path), **inference)


def _inference(recorded: Mapping[str, Any], source: str | Path) -> dict[str, Any]:
    """Return a source's scale and guidance, as far as recorded; only numbers are accepted, since Hydra calls nodes."""
    given = {name: recorded[name] for name in ("scale", "guidance") if name in recorded}
    for name, value in given.items():
        number = type(value) is int or (name == "guidance" and type(value) is float)
        expect(number, f"a number as {name}", f"{value} in {source}", "Get it again.")
    return given
