"""An autoencoder to be trained: images to latents and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from jaxtyping import Float
from torch import Tensor, nn

from dgsr.checks import expect
from dgsr.models.backbones.resampler import start_as_resampler
from dgsr.models.backbones.saving import save_half
from dgsr.models.hub import located
from dgsr.models.trained import TrainedNetwork
from dgsr.types import Images

#: Log variance of the initial posteriors, far below that of the images, so that samples decode as well as modes do.
_LOG_VARIANCE = -6.0


class Autoencoder(TrainedNetwork):
    """Encode images as distributions of latents, and decode samples of these.

    Args:
        widths: Channels of the blocks, from full resolution down; each but the last halves the sides.
        layers: Residual blocks per block of the encoder; the decoder has one more.
        latent_channels: Number of channels of the latent, at least 12.
        groups: Number of groups of every normalisation.
        seed: Seed of the weights; the network starts as interpolation.
        init_from: Folder with `vae/`, whose shape and weights replace all of the above; None starts from random ones.
        trained: all, or the decoder alone: latents then stay the same, and a denoiser trained on them still fits.

    Raises:
        UserError: There is no such folder.

    Source: Rombach et al., High-resolution image synthesis with latent diffusion models, Sec. 3.1.
    """

    def __init__(
        self,
        widths: Sequence[int] = (16, 32, 64, 128),
        layers: int = 1,
        latent_channels: int = 16,
        groups: int = 4,
        seed: int = 0,
        init_from: str | Path | None = None,
        trained: Literal["all", "decoder"] = "all",
    ) -> None:
        super().__init__()
        if init_from is None:
            vae = _untrained(widths, layers, latent_channels, groups, seed)
        else:
            vae = load_autoencoder(init_from, "task.autoencoder.init_from")
        self.vae, self.trained = vae, trained
        self.architecture = {key: value for key, value in vae.config.items() if not key.startswith("_")}
        if trained == "decoder":
            for part in ("encoder", "quant_conv"):
                vae.get_submodule(part).requires_grad_(False)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the trained parameters by name."""
        parts = ("vae",) if self.trained == "all" else ("vae.post_quant_conv", "vae.decoder")
        for part in parts:
            yield from self.get_submodule(part).named_parameters(prefix=part)

    def forward(self, images: Images, noise: list[torch.Generator]) -> tuple[Images, Float[Tensor, " b"]]:
        """Return the images of sampled latents, not clamped, and each posterior's divergence from the normal in nats.

        Args:
            images: In [-1, 1].
            noise: Draws each image's sample.
        """
        posterior: Any = self.vae.encode(images, return_dict=False)[0]
        assert len(noise) == len(images), "each image's posterior is sampled by its own noise"
        sample: Any = posterior.sample(noise)
        return self.vae.decode(sample, return_dict=False)[0], posterior.kl()

    def encode(self, images: Images) -> Float[Tensor, "b channels rows columns"]:
        """Return the modes of the posteriors of images in [-1, 1]."""
        return self.vae.encode(images, return_dict=False)[0].mode()

    def decode(self, latents: Float[Tensor, "b channels rows columns"]) -> Images:
        """Return the images of latents, clamped to [-1, 1]."""
        return self.vae.decode(latents, return_dict=False)[0].clamp(-1, 1)  # pyright: ignore[reportArgumentType]

    def save(self, folder: Path, scaling_factor: float) -> None:
        """Write the network as diffusers does, in half precision.

        Args:
            folder: The folder to write.
            scaling_factor: Factor that brings latents to unit deviation; ignored unless the encoder was trained.
        """
        if self.trained == "all":
            self.vae.register_to_config(scaling_factor=scaling_factor)
        save_half(self.vae, folder)


def load_autoencoder(source: str | Path, setting: str) -> AutoencoderKL:
    """Read the `vae/` of the folder that a setting names; its path is left out of the config.

    Raises:
        UserError: There is none.
    """
    folder = located(str(source)) / "vae"
    expect(folder.is_dir(), f"a folder with vae/ as {setting}", source, "Train one: experiment=prior_autoencoder.")
    vae: Any = AutoencoderKL.from_pretrained(folder)
    vae.register_to_config(_name_or_path="")
    return vae


def _untrained(widths: Sequence[int], layers: int, latent_channels: int, groups: int, seed: int) -> AutoencoderKL:
    depth = len(widths)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * depth,  # pyright: ignore[reportArgumentType]
            up_block_types=("UpDecoderBlock2D",) * depth,  # pyright: ignore[reportArgumentType]
            block_out_channels=tuple(widths),  # pyright: ignore[reportArgumentType]
            layers_per_block=layers,
            latent_channels=latent_channels,
            norm_num_groups=groups,
            scaling_factor=1.0,
        )
    start_as_resampler(vae)
    vae.get_parameter("quant_conv.bias").data[latent_channels:] = _LOG_VARIANCE
    return vae
