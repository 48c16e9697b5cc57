"""A backbone of the shape of Stable Diffusion, small enough to train from scratch on a laptop's processor."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel

from dgsr.models.backbone import Backbone
from dgsr.models.denoising import Prediction

PROMPT_TOKENS, PROMPT_WIDTH = 8, 32
_GROUPS = 8


def tiny_backbone(seed: int, latent_channels: int, prediction: Prediction) -> Backbone:
    """Build networks with random weights, four blocks each way as in Stable Diffusion; under 3 M parameters."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            # Most of the work is at full resolution, so the widths are small there.
            block_out_channels=(16, 24, 48, 64),
            layers_per_block=1,
            latent_channels=latent_channels,
            norm_num_groups=_GROUPS,
            scaling_factor=1.0,
        )
        unet = UNet2DConditionModel(
            in_channels=latent_channels,
            out_channels=latent_channels,
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            block_out_channels=(48,) * 4,
            layers_per_block=1,
            attention_head_dim=3,
            cross_attention_dim=PROMPT_WIDTH,
            norm_num_groups=_GROUPS,
            use_linear_projection=True,
        )
        # The UNet starts as a small change to the latent, so that encoder and decoder learn from the first step.
        unet.conv_out.weight.data.mul_(0.1)
    scheduler = DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction, clip_sample=False
    )
    return Backbone(unet, vae, scheduler, f"tiny-{seed}")
