"""Our own format: a folder with what was trained, how to build the rest, and a model card; ready for the hub."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dgsr.checkpoints.card import model_card
from dgsr.checks import expect, refuse
from dgsr.models.backbone import Backbone, load_backbone
from dgsr.models.generator import OneStepGenerator
from dgsr.models.hub import fetch
from dgsr.models.options import GeneratorOptions
from dgsr.models.prompts import FILE as PROMPTS
from dgsr.models.prompts import Prompts

WEIGHTS, DESCRIPTION, CARD = "generator.safetensors", "generator.json", "README.md"
_FORMAT = 1


def save_pretrained(generator: OneStepGenerator, folder: str | Path, *, scale: int = 4, guidance: float = 1.07) -> None:
    """Write a generator to a folder that `load_pretrained` reads, here or from the hub.

    Args:
        generator: If only its adapter is trained, the backbone's weights stay out and its id and print go in.
        folder: Where to; created if need be.
        scale: Factor of enlargement it was trained for.
        guidance: Guidance to use it with.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    options = dataclasses.replace(
        generator.options,
        unet_targets=generator.options.resolved_unet_targets,
        vae_targets=generator.options.resolved_vae_targets,
        trainable=generator.trainable,
    )
    description = {
        "format": _FORMAT,
        "backbone": {"source": generator.source, "fingerprint": generator.fingerprint()},
        "architecture": generator.architecture,
        "options": dataclasses.asdict(options),
        "inference": {"scale": scale, "guidance": guidance},
    }
    tensors = {name: tensor.contiguous().cpu() for name, tensor in generator.trainable_state().items()}
    save_file(tensors, folder / WEIGHTS)
    generator.prompts.save(folder / PROMPTS)
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
    (folder / CARD).write_text(model_card(options, generator.source, scale, guidance))


def load_pretrained(source: str | Path, backbone: str | Path | None = None) -> OneStepGenerator:
    """Build the generator that `save_pretrained` wrote.

    Args:
        source: Folder or hub id.
        backbone: Folder or hub id of the backbone, where the recorded one does not hold on this machine.

    Raises:
        UserError: A part is missing or not of this format, or the backbone is not the one it was trained on.
    """
    source = str(source)
    description = describe(source)
    recorded = description["backbone"]
    options = GeneratorOptions(**description["options"])
    if options.trainable == "all":
        networks = _networks(description["architecture"], recorded["source"])
    else:
        networks = load_backbone(backbone or recorded["source"])
    generator = OneStepGenerator(networks, Prompts.load(_part(source, PROMPTS)), options)
    generator.load_trainable_state(_tensors(_part(source, WEIGHTS)))
    expect(
        generator.fingerprint() == recorded["fingerprint"],
        f"the backbone this adapter was trained on ({recorded['source']})",
        f"other weights at {networks.source}",
        "Name the right one.",
    )
    return generator


def describe(source: str | Path) -> dict[str, Any]:
    """Read what a folder or hub id says of its generator: backbone, options, scale and guidance.

    Raises:
        UserError: It is not there or not of this format.
    """
    path = _part(str(source), DESCRIPTION)
    try:
        description = json.loads(path.read_text())
    except ValueError:
        refuse("a description in JSON", path, "Export the generator again.")
    found = description.get("format")
    expect(
        found == _FORMAT, f"an export of format {_FORMAT}", f"format {found} in {path}", "Update dgsr or export again."
    )
    return description


def _part(source: str, name: str) -> Path:
    path = fetch(source, name)
    if path is None:
        refuse(f"a folder or hub id within reach that holds {name}", source, "Export one with save_pretrained.")
    return path


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError:
        refuse("a safetensors file", path, "Export the generator again.")


def _networks(architecture: dict[str, Any], source: str) -> Backbone:
    """Build networks whose weights are all to be loaded."""
    unet: Any = UNet2DConditionModel.from_config(architecture["unet"])
    vae: Any = AutoencoderKL.from_config(architecture["vae"])
    scheduler: Any = DDPMScheduler.from_config(architecture["scheduler"])
    return Backbone(unet, vae, scheduler, source)
