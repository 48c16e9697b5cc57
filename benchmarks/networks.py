"""Build networks with fixed random weights; `full` has the shapes of Stable Diffusion 2.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from dgsr.models.adapters.options import AdapterOptions, Layers
from dgsr.models.backbones.stable_diffusion import StableDiffusion
from dgsr.models.backbones.tiny import PROMPT_WIDTH, tiny_backbone
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import NEGATIVE, POSITIVE, GeneratorOptions
from dgsr.models.prompts import Prompts

TIMESTEP = 999
_RANKS = {"full": (32, 16), "tiny": (8, 4)}


def networks(shapes: str) -> StableDiffusion:
    """Build UNet and VAE of a size, tiny or full."""
    if shapes == "tiny":
        return tiny_backbone(0, 16, "epsilon", TIMESTEP)
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(320, 640, 1280, 1280),
        attention_head_dim=(5, 10, 20, 20),  # pyright: ignore[reportArgumentType]
        cross_attention_dim=1024,
        use_linear_projection=True,
    )
    unet.get_parameter("conv_out.weight").data.mul_(0.02)  # the clean latent multiplies the prediction by 15
    vae: Any = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),  # pyright: ignore[reportArgumentType]
        down_block_types=("DownEncoderBlock2D",) * 4,  # pyright: ignore[reportArgumentType]
        up_block_types=("UpDecoderBlock2D",) * 4,  # pyright: ignore[reportArgumentType]
        layers_per_block=2,
    )
    schedule = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    return StableDiffusion(unet, vae, schedule, "random")


def text_encoder(shapes: str) -> Callable[[str], Tensor]:
    """Build a text encoder of a size; each byte of the text is a token."""
    wide = shapes == "full"
    torch.manual_seed(1)
    config = CLIPTextConfig(
        hidden_size=1024 if wide else PROMPT_WIDTH,
        intermediate_size=4096 if wide else PROMPT_WIDTH,
        num_hidden_layers=23 if wide else 2,
        num_attention_heads=16 if wide else 2,
        hidden_act="gelu",
    )
    model = CLIPTextModel(config).eval()
    tokens = config.max_position_embeddings

    def encode(text: str) -> Tensor:
        ids = [*text.encode()[: tokens - 1]]
        return model(torch.tensor([ids + [config.eos_token_id] * (tokens - len(ids))]))[0]

    return torch.no_grad()(encode)


def adapted(shapes: str, positive: Tensor, negative: Tensor) -> OneStepGenerator:
    """Build a generator with a non-zero adapter and the given prompt embeddings."""
    unet, vae = (Layers(rank=rank) for rank in _RANKS[shapes])
    options = GeneratorOptions(
        adapters={"main": AdapterOptions(unet=unet, vae=vae, init="identity")}, timestep=TIMESTEP
    )
    generator = OneStepGenerator(networks(shapes), Prompts(positive, negative, (POSITIVE, NEGATIVE)), options)
    draws = torch.Generator().manual_seed(2)
    for name, parameter in generator.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.02, generator=draws)
    return generator
