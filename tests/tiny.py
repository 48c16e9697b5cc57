"""Random networks of Stable Diffusion's shape, under a million parameters, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from dgsr.models.adapters.options import AdapterOptions, Layers
from dgsr.models.autoencoder import Autoencoder
from dgsr.models.backbones.denoising import Prediction
from dgsr.models.backbones.interface import Backbone
from dgsr.models.backbones.stable_diffusion import StableDiffusion
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import GeneratorOptions
from dgsr.models.prompts import Prompts

TOKENS, WIDTH = 5, 24

#: Of a `Denoiser`.
DENOISER: dict[str, Any] = {"widths": (16, 16, 16, 16), "heads": 2, "groups": 4}


def backbone(prediction: Prediction = "epsilon", unet_blocks: int = 4, vae_blocks: int = 4) -> StableDiffusion:
    """Build networks with this many blocks each way; all but the outermost of the UNet attend to the prompt."""
    attending = unet_blocks - 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = UNet2DConditionModel(
            block_out_channels=(16, 16, 32, 32)[:unet_blocks],
            down_block_types=(*("CrossAttnDownBlock2D",) * attending, "DownBlock2D"),
            up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * attending),
            layers_per_block=1,
            attention_head_dim=4,
            cross_attention_dim=WIDTH,
            norm_num_groups=8,
            use_linear_projection=True,
        )
        vae = AutoencoderKL(
            block_out_channels=(8, 16, 16, 16)[:vae_blocks],  # pyright: ignore[reportArgumentType]
            down_block_types=("DownEncoderBlock2D",) * vae_blocks,  # pyright: ignore[reportArgumentType]
            up_block_types=("UpDecoderBlock2D",) * vae_blocks,  # pyright: ignore[reportArgumentType]
            layers_per_block=1,
            norm_num_groups=8,
        )
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction, clip_sample=False
    )
    return StableDiffusion(unet, vae, scheduler, "random")


def save_autoencoder(folder: Path) -> Path:
    """Write what a `Denoiser` is built on."""
    Autoencoder((16, 24, 24, 32)).save(folder / "vae", scaling_factor=2.0)
    return folder


def adapter(unet: int, vae: int, **others: Any) -> AdapterOptions:
    """Return the options of an adapter with these ranks."""
    return AdapterOptions(unet=Layers(rank=unet), vae=Layers(rank=vae), **others)


def adapters(unet: int, vae: int) -> dict[str, AdapterOptions]:
    """Return one adapter with these ranks."""
    return {"main": adapter(unet, vae)}


def generator(networks: Backbone | None = None, **options: Any) -> OneStepGenerator:
    """Build a generator whose adapter does something: no part of it is left at zero."""
    chosen = GeneratorOptions.from_fields(options, adapters=adapters(8, 4))
    prompts = Prompts.random(chosen.positive_prompt, chosen.negative_prompt, TOKENS, WIDTH)
    built = OneStepGenerator(networks or backbone(), prompts, chosen)
    draws = torch.Generator().manual_seed(1)
    for name, parameter in built.named_parameters():
        if "lora_B" in name or name.startswith("conditioning"):
            parameter.data.normal_(0, 0.1, generator=draws)
    return built


def images(count: int = 2, height: int = 64, width: int = 64) -> torch.Tensor:
    """Draw images in [-1, 1]."""
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(2)) * 2 - 1


def scores(count: int = 2) -> torch.Tensor:
    """Draw scores in [0, 1]."""
    return torch.rand(count, 2, generator=torch.Generator().manual_seed(3))
