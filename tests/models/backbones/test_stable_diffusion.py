"""Block ids of layers, and the noise schedule."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from dgsr.checks import UserError
from dgsr.models.backbones.stable_diffusion import block_id
from tests import tiny


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("down_blocks.0.resnets.0.conv1", 0),
        ("down_blocks.3.resnets.1.conv2", 3),
        ("mid_block.attentions.0.proj_in", 4),
        ("up_blocks.0.upsamplers.0.conv", 5),
        ("up_blocks.3.attentions.2.transformer_blocks.0.ff.net.2", 8),
        ("conv_out", 9),
    ],
)
def test_unet_of_the_paper(name, expected):
    assert block_id(name, 4, 4) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("encoder.down_blocks.2.downsamplers.0.conv", 2),
        ("encoder.mid_block.attentions.0.to_q", 4),
        ("encoder.conv_in", 5),
        ("encoder.conv_out", 5),
    ],
)
def test_vae_encoder_of_the_paper(name, expected):
    assert block_id(name, 4, 0) == expected


def test_any_number_of_blocks_has_ids_without_gaps():
    names = ["down_blocks.0.x", "down_blocks.1.x", "mid_block.x", "up_blocks.0.x", "up_blocks.1.x", "conv_out"]
    backbone = tiny.backbone("epsilon", 2, 3)
    assert [backbone.block_of("unet", name) for name in names] == list(range(backbone.num_blocks["unet"]))
    assert backbone.num_blocks == {"unet": 6, "vae": 5}


def test_a_block_outside_the_network_is_an_error():
    with pytest.raises(AssertionError, match="outside"):
        block_id("up_blocks.0.x", 4, 0)


def test_layers_that_scores_do_not_reach_are_refused():
    backbone = tiny.backbone()
    assert backbone.block_of("unet", "up_blocks.3.x") == 8
    assert backbone.block_of("vae", "encoder.mid_block.x") == 4
    assert backbone.block_of("vae", "quant_conv") == 5
    for name in ("time_embedding.linear_1", "down_blocks.0.resnets.0.time_emb_proj"):
        with pytest.raises(UserError, match=f"unet.targets of an adapter among .* but got {name}"):
            backbone.block_of("unet", name)
    for name in ("decoder.up_blocks.0.resnets.0.conv1", "post_quant_conv"):
        with pytest.raises(UserError, match=f"vae.targets of an adapter in the encoder.* but got {name}"):
            backbone.block_of("vae", name)


def test_alpha_bar_by_hand():
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    expected = torch.prod(1 - betas).item()
    assert tiny.backbone().alpha_bar(999) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("timestep", [-1, 1000])
def test_refuses_a_timestep_outside_the_schedule(timestep):
    with pytest.raises(UserError, match=r"generator\.timestep"):
        tiny.backbone().expect_timestep(timestep)


def test_refuses_a_timestep_without_signal():
    backbone = tiny.backbone("epsilon")
    backbone.scheduler.alphas_cumprod[999] = 0
    with pytest.raises(UserError, match="signal"):
        backbone.expect_timestep(999)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_noise_and_targets_are_those_of_diffusers(prediction):
    backbone, latents, noise = tiny.backbone(prediction), torch.randn(3, 4, 8, 8), torch.randn(3, 4, 8, 8)
    timesteps: Any = torch.tensor([0, 500, 999])
    scheduler = backbone.scheduler
    noisy = backbone.noisy(latents, noise, timesteps)
    torch.testing.assert_close(noisy, scheduler.add_noise(latents, noise, timesteps))
    expected = {"epsilon": noise, "sample": latents, "v_prediction": scheduler.get_velocity(latents, noise, timesteps)}
    target = backbone.target(latents, noise, timesteps)
    torch.testing.assert_close(target, expected[prediction])
    torch.testing.assert_close(backbone.clean(noisy, target, timesteps), latents, atol=1e-4, rtol=1e-4)
