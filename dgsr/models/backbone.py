"""The pretrained networks a generator is built on: a UNet, a VAE and the noise schedule they were trained with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from dgsr.checks import expect, refuse
from dgsr.models.denoising import Prediction
from dgsr.models.hub import fetch_folder, located, looks_like_hub_id

_WANTED = "a diffusers folder with unet, vae and scheduler, or the hub id of one within reach"
_REMEDY = "Name one, such as stabilityai/sd-turbo: generator.path=… in training, --backbone, backbone=… of evaluate.py."


@dataclass(frozen=True)
class Backbone:
    """Networks and noise schedule of a latent diffusion model of the Stable Diffusion 1 and 2 family.

    Attributes:
        unet: The denoiser.
        vae: Encoder and decoder between images and latents.
        scheduler: The schedule of noise, and what the UNet predicts.
        source: Folder or hub id it was read from.
    """

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    scheduler: DDPMScheduler
    source: str

    @property
    def prediction(self) -> Prediction:
        """What the UNet predicts."""
        return self.scheduler.config["prediction_type"]

    def architecture(self) -> dict[str, object]:
        """Return what the networks are built from, without where they came from or what wrote them."""
        configs = {"unet": self.unet.config, "vae": self.vae.config, "scheduler": self.scheduler.config}
        return {
            part: {key: value for key, value in config.items() if not key.startswith("_")}
            for part, config in configs.items()
        }

    def alpha_bar(self, timestep: int) -> float:
        """Return the share of signal that the noisy latent of this timestep holds.

        Raises:
            UserError: The schedule has no such timestep, or no image can be recovered from the noise there.
        """
        steps = len(self.scheduler.alphas_cumprod)
        expect(0 <= timestep < steps, f"a timestep of 0 to {steps - 1}", timestep, "Set generator.timestep.")
        value = float(self.scheduler.alphas_cumprod[timestep])
        usable = value > 0 or self.prediction != "epsilon"
        expect(usable, "a timestep with some signal left", timestep, "Set generator.timestep to a smaller one.")
        return value


def load_backbone(source: str | Path) -> Backbone:
    """Read a backbone from a diffusers folder or the model hub.

    Raises:
        UserError: It is not there, or not of this family.
    """
    return _read(str(source), lambda network, folder: network.from_pretrained(folder))


def outline_backbone(source: str | Path) -> Backbone:
    """Build a backbone on the meta device, from its description alone: shapes without weights.

    Raises:
        UserError: It is not there, or not of this family.
    """

    def outline(network: Any, folder: Path) -> Any:
        with torch.device("meta"):
            return network.from_config(network.load_config(folder))

    return _read(str(source), outline, files="*.json")


def _read(source: str, build: Callable[[Any, Path], Any], files: str = "*") -> Backbone:
    folder = fetch_folder(source, "unet", "vae", "scheduler", files=files)
    if folder is None:
        afar = not located(source).is_dir() and looks_like_hub_id(source)
        refuse(_WANTED, *(_out_of_reach(source) if afar else (f"none of these at {source}", _REMEDY)))
    try:
        return Backbone(
            unet=build(UNet2DConditionModel, folder / "unet"),
            vae=build(AutoencoderKL, folder / "vae"),
            scheduler=cast(DDPMScheduler, DDPMScheduler.from_pretrained(folder, subfolder="scheduler")),
            source=source,
        )
    except OSError as error:
        refuse(_WANTED, f"{source} ({str(error).splitlines()[0]})", _REMEDY)


def _out_of_reach(source: str) -> tuple[str, str]:
    """Say what came of a hub id, and what to do about it."""
    return (
        f"{source}, which the model hub's cache does not hold and the hub, if it can be reached, does not give",
        f"Download it where there is a network (dgsr doctor --fetch generator=sd_turbo generator.path={source}), or "
        "name a folder: generator.path=FOLDER in training, --backbone FOLDER, backbone=FOLDER of evaluate.py.",
    )
