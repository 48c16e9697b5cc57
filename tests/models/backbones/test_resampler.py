"""The start of a small autoencoder copies images, softly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from dgsr.checks import UserError
from dgsr.models.backbones.resampler import start_as_resampler


def _autoencoder(latent_channels: int = 16, widths: tuple[int, ...] = (16, 32, 48, 64)) -> Any:
    torch.manual_seed(0)
    shape: dict[str, Any] = {
        "block_out_channels": widths,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
    }
    return AutoencoderKL(**shape, latent_channels=latent_channels, layers_per_block=1, norm_num_groups=4)


@torch.no_grad()
def _copied(vae: Any, images: torch.Tensor) -> torch.Tensor:
    return vae.decode(vae.encode(images).latent_dist.mode()).sample


def test_smooth_images_are_copied() -> None:
    vae = _autoencoder()
    start_as_resampler(vae)
    ramp = torch.linspace(-0.8, 0.8, 64)
    images = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), 0.3 * ramp.outer(ramp)])[None]
    inside = (slice(None), slice(None), slice(16, 48), slice(16, 48))  # zero padding bends the border
    assert (_copied(vae, images)[inside] - images[inside]).abs().max() < 0.03


def test_the_gain_undoes_a_denoiser_that_shrinks() -> None:
    vae = _autoencoder()
    start_as_resampler(vae, gain=2.0)
    image = torch.full((1, 3, 64, 64), 0.5)
    with torch.no_grad():
        halved = vae.decode(vae.encode(image).latent_dist.mode() / 2).sample
    assert torch.allclose(halved[..., 24:40, 24:40], torch.tensor(0.5), atol=0.02)


def test_every_weight_can_learn() -> None:
    vae = _autoencoder()
    start_as_resampler(vae)
    optimizer = torch.optim.SGD(vae.parameters(), lr=1e-2)
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    for _ in range(2):
        optimizer.zero_grad()
        (vae.decode(vae.encode(images).latent_dist.mode()).sample - images).square().mean().backward()
        optimizer.step()
    still = [n for n, p in vae.named_parameters() if p.grad is None or not p.grad.any()]
    assert all(name.endswith(("to_k.bias",)) for name in still), still


def test_too_few_channels_are_refused() -> None:
    with pytest.raises(UserError, match="12 latent channels"):
        start_as_resampler(_autoencoder(4))


@pytest.mark.parametrize("widths", [(16, 16, 48, 64), (16, 32, 48, 48)])
def test_blocks_that_keep_their_width_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="widths that differ"):
        start_as_resampler(_autoencoder(widths=widths))
