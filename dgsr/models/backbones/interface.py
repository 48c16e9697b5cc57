"""What the generator needs from a frozen diffusion model, whatever its family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from dgsr.types import Images, PromptEmbeddings

#: Scaled latents of a batch of images.
Latents: TypeAlias = Float[Tensor, "b channels rows columns"]

#: One timestep for each sample.
Timesteps: TypeAlias = Int[Tensor, " b"]

#: The denoiser and the autoencoder, by the names that their weights have in checkpoints.
Network = Literal["unet", "vae"]
NETWORKS: tuple[Network, ...] = get_args(Network)

#: What gradient checkpointing can be chosen for.
Part = Literal["unet", "encoder", "decoder"]
PARTS: tuple[Part, ...] = get_args(Part)

#: Layers to adapt: ends of names, or a regular expression for the whole name.
Targets: TypeAlias = str | Sequence[str]


@runtime_checkable
class Backbone(Protocol):
    """A pretrained latent diffusion model: networks, noise process and prompts.

    It is no module itself: the generator registers its networks.

    Attributes:
        source: Folder or hub id that it was read from, or a name.
        networks: The denoiser (`unet`) and the autoencoder (`vae`).
        parts: The modules that run under gradient checkpointing, if chosen.
        block_types: The modules that are compiled one by one.
        adapter_targets: Named sets of layers to adapt, per network.
        num_blocks: Number of block ids of each network; guidance has one matrix per id.
    """

    source: str
    networks: Mapping[Network, nn.Module]
    parts: Mapping[Part, nn.Module]
    block_types: tuple[type[nn.Module], ...]
    adapter_targets: Mapping[str, Mapping[Network, Targets]]
    num_blocks: Mapping[Network, int]

    @property
    def prompt_shape(self) -> tuple[int, int]:
        """Tokens and width of a prompt embedding."""
        ...

    @property
    def multiple(self) -> int:
        """Sides of images, in px, are padded to multiples of this."""
        ...

    @property
    def latent_px(self) -> int:
        """Pixels per latent cell, along each side."""
        ...

    @property
    def bytes_per_px(self) -> int:
        """Bytes per output pixel of the largest activation."""
        ...

    def encode(self, images: Images, noise: list[torch.Generator] | None = None) -> Latents:
        """Return the scaled latents of images in [-1, 1]: a sample of the posterior with this noise, or its mode."""
        ...

    def decode(self, latents: Latents) -> Images:
        """Return the images of scaled latents, not clamped."""
        ...

    def predict(self, latents: Latents, timesteps: int | Timesteps, prompts: PromptEmbeddings) -> Latents:
        """Return what the denoiser predicts for noisy latents; one embedding may serve all samples."""
        ...

    def clean(self, latents: Latents, predicted: Latents, timesteps: int | Timesteps) -> Latents:
        """Return the clean latents that a prediction implies."""
        ...

    def noisy(self, latents: Latents, noise: Latents, timesteps: int | Timesteps) -> Latents:
        """Add noise to clean latents."""
        ...

    def embed(self, *texts: str) -> list[PromptEmbeddings]:
        """Return the embedding of each text."""
        ...

    def block_of(self, network: Network, layer: str) -> int:
        """Return the block id of a layer, or refuse one that cannot be guided."""
        ...

    def expect_timestep(self, timestep: int) -> None:
        """Refuse a timestep from which no image can be restored."""
        ...

    def architecture(self) -> dict[str, Any]:
        """Return what the networks are built from, as plain values without paths."""
        ...
