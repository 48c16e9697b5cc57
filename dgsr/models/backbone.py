"""The pretrained networks a generator is built on: a UNet, a VAE and the noise schedule they were trained with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from dgsr.checks import expect, refuse
from dgsr.models.denoising import Prediction
from dgsr.models.hub import looks_like_hub_id


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
    source = str(source)
    here = Path(source).is_dir()
    remedy = "Set generator.path to a diffusers folder or a hub id such as stabilityai/sd-turbo."
    expect(here or looks_like_hub_id(source), "a diffusers folder or a hub id", source, remedy)
    try:
        return Backbone(
            unet=UNet2DConditionModel.from_pretrained(source, subfolder="unet"),
            vae=AutoencoderKL.from_pretrained(source, subfolder="vae"),
            scheduler=cast(DDPMScheduler, DDPMScheduler.from_pretrained(source, subfolder="scheduler")),
            source=source,
        )
    except OSError as error:
        reason = str(error).splitlines()[0]
        where = "unet, vae and scheduler in the folder" if here else "a model on the hub, and a way to reach it"
        refuse(where, f"{source} ({reason})", remedy)
