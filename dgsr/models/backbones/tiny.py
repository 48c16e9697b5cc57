"""Build a backbone with Stable Diffusion's layout, small enough to train from scratch on a laptop's processor."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from dgsr.models.backbones.denoising import Prediction
from dgsr.models.backbones.resampler import start_as_resampler
from dgsr.models.backbones.stable_diffusion import StableDiffusion

PROMPT_TOKENS, PROMPT_WIDTH = 8, 32

_VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    # Most of the work is at full resolution, so the widths are small there.
    "block_out_channels": (16, 24, 48, 64),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "scaling_factor": 1.0,
}
_UNET: dict[str, Any] = {
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "block_out_channels": (48,) * 4,
    "layers_per_block": 1,
    "attention_head_dim": 3,
    "cross_attention_dim": PROMPT_WIDTH,
    "norm_num_groups": 8,
    "use_linear_projection": True,
}
SCHEDULE: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}

#: The UNet starts as a small change to the latent, so that encoder and decoder learn from the first step.
_DENOISER_SCALE = 0.02


def tiny_backbone(seed: int, latent_channels: int, prediction: Prediction, timestep: int) -> StableDiffusion:
    """Build networks with random weights that together start as interpolation, four blocks each way as in the paper's.

    Args:
        seed: Seed of the weights.
        latent_channels: Number of channels of the latent, at least 12.
        prediction: What the UNet predicts.
        timestep: The timestep at which the UNet is used.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = AutoencoderKL(**_VAE, latent_channels=latent_channels)
        unet = UNet2DConditionModel(**_UNET, in_channels=latent_channels, out_channels=latent_channels)
    scheduler = DDPMScheduler(**SCHEDULE, prediction_type=prediction, clip_sample=False)
    backbone = StableDiffusion(unet, vae, scheduler, f"tiny-{seed}")
    backbone.expect_timestep(timestep)
    signal = float(scheduler.alphas_cumprod[timestep]) ** 0.5
    start_as_resampler(vae, gain={"v_prediction": 1 / signal, "epsilon": signal, "sample": 1.0}[prediction])
    unet.get_parameter("conv_out.weight").data.mul_(_DENOISER_SCALE)
    unet.get_parameter("conv_out.bias").data.zero_()
    return backbone
