"""An autoencoder to be trained: images to latents and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from jaxtyping import Float
from torch import Tensor

from dgsr.models.resampler import start_as_resampler
from dgsr.models.trained import TrainedNetwork
from dgsr.types import Images

#: Of the posteriors at the start, far below that of the images, so that samples decode as well as modes do.
_LOG_VARIANCE = -6.0


class Autoencoder(TrainedNetwork):
    """Encode images as distributions of latents, and decode samples of these.

    Args:
        widths: Channels of the blocks, from full resolution down; each but the last halves the sides.
        layers: Residual blocks a block of the encoder; the decoder has one more.
        latent_channels: Width of the latent, at least 12.
        groups: Of every normalisation.
        seed: Of the weights, which together start as interpolation.

    Source: Rombach et al., High-resolution image synthesis with latent diffusion models, Sec. 3.1.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128),
        layers: int = 1,
        latent_channels: int = 16,
        groups: int = 4,
        seed: int = 0,
    ) -> None:
        super().__init__()
        depth = len(widths)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.vae = AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * depth,  # pyright: ignore[reportArgumentType]
                up_block_types=("UpDecoderBlock2D",) * depth,  # pyright: ignore[reportArgumentType]
                block_out_channels=tuple(widths),  # pyright: ignore[reportArgumentType]
                layers_per_block=layers,
                latent_channels=latent_channels,
                norm_num_groups=groups,
                scaling_factor=1.0,
            )
        self.architecture = {key: value for key, value in self.vae.config.items() if not key.startswith("_")}
        start_as_resampler(self.vae)
        self.vae.get_parameter("quant_conv.bias").data[latent_channels:] = _LOG_VARIANCE

    def forward(self, images: Images, noise: torch.Generator) -> tuple[Images, Float[Tensor, " b"]]:
        """Return the images of sampled latents, not clamped, and each posterior's divergence from the normal in nats.

        Args:
            images: In [-1, 1].
            noise: Draws the samples.
        """
        posterior: Any = self.vae.encode(images, return_dict=False)[0]
        sample: Any = posterior.sample(noise)
        return self.vae.decode(sample, return_dict=False)[0], posterior.kl()

    def encode(self, images: Images) -> Float[Tensor, "b channels rows columns"]:
        """Return the modes of the posteriors of images in [-1, 1]."""
        return self.vae.encode(images, return_dict=False)[0].mode()

    def decode(self, latents: Float[Tensor, "b channels rows columns"]) -> Images:
        """Return the images of latents, clamped to [-1, 1]."""
        return self.vae.decode(latents, return_dict=False)[0].clamp(-1, 1)  # pyright: ignore[reportArgumentType]

    def save(self, folder: Path, scaling_factor: float) -> None:
        """Write the network as diffusers does, with the factor that brings its latents to unit deviation."""
        self.vae.register_to_config(scaling_factor=scaling_factor)
        self.vae.save_pretrained(folder)
