"""The adapter on the shapes of Stable Diffusion 2.1, without its weights: the sizes the paper's program reports."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

from dgsr.models.adapters.lora import guided_layers
from dgsr.models.backbones.stable_diffusion import StableDiffusion
from dgsr.models.generator import OneStepGenerator
from dgsr.models.options import GeneratorOptions
from dgsr.models.prompts import Prompts


@pytest.fixture(scope="module")
def generator():
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            block_out_channels=(320, 640, 1280, 1280),
            layers_per_block=2,
            attention_head_dim=(5, 10, 20, 20),  # pyright: ignore[reportArgumentType]
            cross_attention_dim=1024,
            use_linear_projection=True,
        )
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),  # pyright: ignore[reportArgumentType]
            down_block_types=("DownEncoderBlock2D",) * 4,  # pyright: ignore[reportArgumentType]
            up_block_types=("UpDecoderBlock2D",) * 4,  # pyright: ignore[reportArgumentType]
            layers_per_block=2,
        )
    scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    prompts = Prompts.random("sharp", "blurred", tokens=77, width=1024)
    return OneStepGenerator(StableDiffusion(unet, vae, scheduler, "sd-2.1"), prompts, GeneratorOptions())


def millions(generator, *fragments):
    return sum(
        parameter.numel() / 1e6
        for name, parameter in generator.named_parameters()
        if parameter.requires_grad and all(fragment in name for fragment in fragments)
    )


def test_trainable_parameters(generator):
    assert millions(generator, "unet.", ".lora_") == pytest.approx(32.434, abs=5e-4)
    assert millions(generator, "vae.", ".lora_") == pytest.approx(1.477, abs=5e-4)
    assert millions(generator, "conditioning.") == pytest.approx(0.552, abs=5e-4)
    assert millions(generator, "unet.conv_in.") == pytest.approx(0.012, abs=5e-4)
    assert millions(generator) == pytest.approx(34.475, abs=5e-4)


def test_adapted_layers(generator):
    assert len(list(guided_layers(generator.unet))) == 257
    assert len(list(guided_layers(generator.vae))) == 31


def test_every_block_id_is_used(generator):
    assert {layer.block_id for _, layer in guided_layers(generator.unet)} == set(range(10))
    assert {layer.block_id for _, layer in guided_layers(generator.vae)} == set(range(6))
