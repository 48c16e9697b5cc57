"""Load a backbone from a diffusers folder or the model hub, by its family."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dgsr.checks import refuse
from dgsr.models.backbones.interface import Backbone
from dgsr.models.backbones.stable_diffusion import StableDiffusion
from dgsr.models.hub import fetch, fetch_folder, located, looks_like_hub_id

_EXPECTED = "a diffusers folder with unet, vae and scheduler, or the hub id of one within reach"
_FAMILY = "a backbone of the family of Stable Diffusion 1, 2 or Turbo"
_REMEDY = "Name one, such as stabilityai/sd-turbo: generator.path=… in training, --backbone, backbone=… of evaluate.py."


def load_backbone(source: str | Path) -> StableDiffusion:
    """Read a backbone from a diffusers folder or the model hub.

    Raises:
        UserError: There is none, or it is of another family.
    """
    return _read(str(source), lambda network, folder: network.from_pretrained(folder))


def outline_backbone(source: str | Path) -> StableDiffusion:
    """Build a backbone on the meta device, from its description alone: shapes without weights.

    Raises:
        UserError: There is none, or it is of another family.
    """

    def outline(network: Any, folder: Path) -> Any:
        with torch.device("meta"):
            return network.from_config(network.load_config(folder))

    return _read(str(source), outline, files="*.json")


def build_backbone(architecture: dict[str, Any], source: str) -> Backbone:
    """Build the networks that `Backbone.architecture` described, with random weights.

    Raises:
        UserError: It describes networks of an unknown family.
    """
    try:
        return StableDiffusion.from_architecture(architecture, source)
    except (TypeError, ValueError, KeyError) as error:
        refuse(_FAMILY, f"{source} ({str(error).splitlines()[0]})", "Update dgsr, or get the file again.")


def _read(source: str, build: Callable[[Any, Path], Any], files: str = "*") -> StableDiffusion:
    configs = fetch_folder(source, *StableDiffusion.folders, files="*.json")  # tell the family before weights come
    if configs is None:
        difference = _model_class(source)
    else:
        difference = StableDiffusion.difference({name: _config(configs / name) for name in StableDiffusion.folders})
    if difference is not None:
        refuse(_FAMILY, f"{source} with {difference}", _REMEDY)
    folder = fetch_folder(source, *StableDiffusion.folders, files=files)
    if folder is None:
        unreachable = not located(source).is_dir() and looks_like_hub_id(source)
        refuse(_EXPECTED, *(_unreachable(source) if unreachable else (f"none of these at {source}", _REMEDY)))
    try:
        return StableDiffusion.read(folder, source, build)
    except OSError as error:
        refuse(_EXPECTED, f"{source} ({str(error).splitlines()[0]})", _REMEDY)


def _config(folder: Path) -> dict[str, Any]:
    path = folder / ("scheduler_config.json" if folder.name == "scheduler" else "config.json")
    if not path.is_file():
        refuse(_EXPECTED, f"{folder} without {path.name}", _REMEDY)
    return _content(path)


def _model_class(source: str) -> str | None:
    """Name the pipeline or the transformer of a model that lacks some of the networks."""
    for name in ("model_index.json", "transformer/config.json"):
        path = fetch(source, name)
        if path is not None:
            return f"a {_content(path).get('_class_name')}, without some of {', '.join(StableDiffusion.folders)}"
    return None


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        refuse("a configuration in JSON", f"{path} ({error})", "It may be damaged; get it again.")
    if not isinstance(content, dict):
        refuse("a configuration of names and values", path, "It may be damaged; get it again.")
    return content


def _unreachable(source: str) -> tuple[str, str]:
    """Say what happened to a hub id, and what to do about it."""
    return (
        f"{source}, which the model hub's cache does not hold and the hub, if it can be reached, does not give",
        f"Download it where there is a network (dgsr doctor --fetch generator=sd_turbo generator.path={source}), or "
        "name a folder: generator.path=FOLDER in training, --backbone FOLDER, backbone=FOLDER of evaluate.py.",
    )
