"""Export a generator to a folder, ready for the hub: trained weights, how to build the rest, and a model card."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from dgsr.checkpoints.card import model_card
from dgsr.checks import expect, refuse
from dgsr.files import write_json, write_text
from dgsr.models.backbones.loading import build_backbone, load_backbone
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.models.hub import fetch, is_stored
from dgsr.models.options import FOR_TRAINING, GeneratorOptions
from dgsr.models.prompts import FILE as PROMPTS
from dgsr.models.prompts import Prompts
from dgsr.tensors import read_tensors, write_tensors

WEIGHTS, DESCRIPTION, CARD = "generator.safetensors", "generator.json", "README.md"
ESTIMATOR = "estimator.safetensors"
_FORMAT = 1
#: The keys of every description, and the keys inside them.
_NEEDED = {
    "backbone": ("source", "fingerprint", "weights_here"),
    "architecture": ("unet", "vae", "scheduler"),
    "options": (),
    "inference": (),
}


def save_pretrained(
    generator: OneStepGenerator,
    folder: str | Path,
    *,
    estimator: DegradationEstimator | None = None,
    scale: int = 4,
    guidance: float = 1.07,
    half: bool = False,
) -> None:
    """Write a generator to a folder that `load_pretrained` reads, here or from the hub.

    Args:
        generator: If only its adapters are trained and its backbone lies in a folder or on the hub, the export records
            the backbone's name and fingerprint instead of its weights.
        folder: The folder to write; created if missing.
        estimator: The estimator of its training; with it the folder holds everything that upscaling needs.
        scale: Output pixels per input pixel that it was trained for, along each side.
        guidance: The guidance to use it with.
        half: Write fp16 weights, which take half the space; they are loaded as fp32.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    options = dataclasses.replace(
        generator.options.resolved(generator.backbone),
        trainable=generator.trainable,
        **FOR_TRAINING,
    )
    complete = generator.trainable == "all" or not is_stored(generator.source)
    description = {
        "format": _FORMAT,
        "backbone": {"source": generator.source, "fingerprint": generator.fingerprint(), "weights_here": complete},
        "architecture": generator.architecture,
        "estimator": estimator.shape if estimator else None,
        "options": dataclasses.asdict(options),
        "inference": {"scale": scale, "guidance": guidance},
    }
    state = generator.every_weight() if complete else generator.trainable_state()
    write_tensors(_stored(state, half), folder / WEIGHTS)
    if estimator is not None:
        write_tensors(_stored(estimator.state_dict(), half), folder / ESTIMATOR)
    generator.prompts.save(folder / PROMPTS)
    write_json(folder / DESCRIPTION, description)
    write_text(folder / CARD, model_card(options, generator.source, scale, guidance, estimator is not None))


def load_pretrained(source: str | Path, backbone: str | Path | None = None) -> OneStepGenerator:
    """Build the generator that `save_pretrained` wrote.

    Args:
        source: Folder or hub id.
        backbone: Folder or hub id of the backbone, if the recorded one does not exist on this machine.

    Raises:
        UserError: A part is missing or of another format, or the backbone is not the one it was trained on.
    """
    source = str(source)
    description = describe(source)
    recorded = description["backbone"]
    options = _options(description["options"], source)
    complete = recorded["weights_here"]
    networks = (
        build_backbone(description["architecture"], recorded["source"])
        if complete
        else load_backbone(backbone or recorded["source"])
    )
    generator = OneStepGenerator(networks, Prompts.load(_part(source, PROMPTS)), options)
    tensors = read_weights(source)
    if complete:
        generator.load_every_weight(tensors)
    else:
        generator.load_trainable_state(tensors)
    expect(
        complete or generator.fingerprint() == recorded["fingerprint"],
        f"the backbone this adapter was trained on ({recorded['source']})",
        f"other weights at {networks.source}",
        "Name the right one.",
    )
    return generator


def load_estimator(source: str | Path) -> DegradationEstimator | None:
    """Build the estimator that was exported with a generator, if one was."""
    shape = describe(source).get("estimator")
    return DegradationEstimator.from_file(_part(str(source), ESTIMATOR), **shape) if shape else None


def describe(source: str | Path) -> dict[str, Any]:
    """Read the description of an exported generator: backbone, options, estimator, scale and guidance.

    Raises:
        UserError: There is none, or it has another format.
    """
    path = _part(str(source), DESCRIPTION)
    try:
        description = json.loads(path.read_text())
    except ValueError:
        refuse("a description in JSON", path, "Export the generator again.")
    number = description.get("format") if isinstance(description, dict) else None
    remedy = "Update dgsr or export again."
    expect(number == _FORMAT, f"an export of format {_FORMAT}", f"format {number} in {path}", remedy)
    lacking = [part for part, names in _NEEDED.items() if not _holds(description.get(part), names)]
    whole = not lacking
    expect(whole, "a whole description", f"{path} that lacks {', '.join(lacking)}", "Export the generator again.")
    return description


def _holds(part: Any, names: Iterable[str]) -> bool:
    return isinstance(part, dict) and part.keys() >= set(names)


def _options(described: dict[str, Any], source: str) -> GeneratorOptions:
    try:
        return GeneratorOptions.from_fields(described)
    except TypeError as error:  # an unknown option, or a value of the wrong type
        got = f"{source} ({str(error).splitlines()[0]})"
        refuse("an export whose options this dgsr knows", got, "Update dgsr or export again.")


def _part(source: str, name: str) -> Path:
    path = fetch(source, name)
    if path is None:
        refuse(f"a folder or hub id within reach that holds {name}", source, "Export one with save_pretrained.")
    return path


def read_weights(source: str | Path) -> dict[str, Tensor]:
    """Read the weights of an exported generator.

    Raises:
        UserError: They are missing or in another format.
    """
    return read_tensors(_part(str(source), WEIGHTS), "a safetensors file", "Export the generator again.")


def _stored(tensors: Mapping[str, Tensor], half: bool) -> dict[str, Tensor]:
    rounded = {
        name: tensor.half() if half and tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }
    return {name: tensor.contiguous().cpu() for name, tensor in rounded.items()}
