"""Compute correction matrices from degradation scores, one per sample and block."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from dgsr.models.backbones.interface import Network
from dgsr.ops.precision import in_full
from dgsr.types import BlockMatrices, Scores

Kind = Literal["guided", "shared_block", "none"]
Init = Literal["paper", "identity"]

_NUM_FREQUENCIES = 64
_SCORE_WIDTH = 2 * 2 * _NUM_FREQUENCIES
_BLOCK_WIDTH = 64
_PAPER_SCALE = 1e-5
_IDENTITY_SCALE = 1e-2


class Correction(NamedTuple):
    """The correction matrices of one adapter in both networks, for a batch of scores; never below fp32."""

    unet: BlockMatrices
    vae: BlockMatrices

    def scaled(self, strength: float) -> Correction:
        """Return the correction that makes the adapter act this many times as strongly."""
        return self if strength == 1 else Correction(strength * self.unet, strength * self.vae)


@dataclass(frozen=True)
class Corrections:
    """The corrections of all adapters of a generator, by the name of each in the weights' names."""

    by_adapter: Mapping[str, Correction]

    def __len__(self) -> int:
        """Return the number of samples."""
        return max(len(correction.unet) for correction in self.by_adapter.values())

    def of_network(self, network: Network, repeat: int = 1) -> dict[str, BlockMatrices]:
        """Return one network's matrices of every adapter, the batch repeated this many times."""
        matrices = {name: getattr(correction, network) for name, correction in self.by_adapter.items()}
        return matrices if repeat == 1 else {name: each.repeat(repeat, 1, 1, 1) for name, each in matrices.items()}

    @property
    def unet(self) -> BlockMatrices:
        """The denoiser's matrices of the only adapter."""
        return self._only.unet

    @property
    def vae(self) -> BlockMatrices:
        """The VAE encoder's matrices of the only adapter."""
        return self._only.vae

    @property
    def _only(self) -> Correction:
        (correction,) = self.by_adapter.values()
        return correction


class Branch(nn.Module):
    """Map Fourier features of the scores to one rank-by-rank matrix per block of one network.

    Source: S3Diff Sec. 3.2.
    """

    def __init__(self, num_blocks: int, rank: int, shared_block: bool, init: Init):
        super().__init__()
        self.num_blocks, self.rank = num_blocks, rank
        self.degradation_mlp = nn.Sequential(nn.Linear(_SCORE_WIDTH, _SCORE_WIDTH), nn.ReLU())
        self.block_embeddings = nn.Embedding(1 if shared_block else num_blocks, _BLOCK_WIDTH)
        self.block_mlp = nn.Sequential(nn.Linear(_BLOCK_WIDTH, _BLOCK_WIDTH), nn.ReLU())
        self.fuse = nn.Linear(_SCORE_WIDTH + _BLOCK_WIDTH, rank * rank)
        self._initialise(init)

    def _initialise(self, init: Init) -> None:
        """Start at C = 0 (paper; with B = 0 a saddle of the loss) or near C = I (as plain LoRA)."""
        for layer in (layer for layer in self.modules() if isinstance(layer, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
            if init == "paper":
                layer.weight.data.mul_(_PAPER_SCALE)
        if init == "identity":
            self.fuse.weight.data.mul_(_IDENTITY_SCALE)
            self.fuse.bias.data.copy_(torch.eye(self.rank).flatten())

    def forward(self, features: Tensor) -> BlockMatrices:
        """Return C of every sample and block."""
        degradation = self.degradation_mlp(features)
        blocks = self.block_mlp(self.block_embeddings.weight)
        pairs = torch.cat(
            [
                degradation[:, None].expand(-1, len(blocks), -1),
                blocks[None].expand(len(degradation), -1, -1),
            ],
            dim=-1,
        )
        matrices = self.fuse(pairs).unflatten(-1, (self.rank, self.rank))
        return matrices.expand(-1, self.num_blocks, -1, -1)


class Identity(nn.Module):
    """Return C = I for all scores: plain LoRA."""

    def __init__(self, num_blocks: int, rank: int):
        super().__init__()
        self.num_blocks, self.rank = num_blocks, rank

    def forward(self, features: Tensor) -> BlockMatrices:
        """Return the identity for every sample and block."""
        eye = torch.eye(self.rank, device=features.device, dtype=features.dtype)
        return eye.expand(len(features), self.num_blocks, -1, -1)


class Conditioning(nn.Module):
    """Compute the corrections of UNet and VAE encoder; never below fp32, whatever the networks run in.

    Source: S3Diff Sec. 3.2.
    """

    frequencies: Tensor

    def __init__(
        self,
        unet_blocks: int,
        unet_rank: int,
        vae_blocks: int,
        vae_rank: int,
        kind: Kind = "guided",
        init: Init = "paper",
    ):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(_NUM_FREQUENCIES))
        if kind == "none":
            self.unet, self.vae = Identity(unet_blocks, unet_rank), Identity(vae_blocks, vae_rank)
        else:
            shared = kind == "shared_block"
            self.unet = Branch(unet_blocks, unet_rank, shared, init)
            self.vae = Branch(vae_blocks, vae_rank, shared, init)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Conditioning:
        """Follow the networks to another device, and to no lower precision than fp32."""

        def follow(tensor: Tensor) -> Tensor:
            moved = fn(tensor.new_empty(0))
            return tensor.to(moved.device, torch.promote_types(moved.dtype, torch.float32))

        return super()._apply(follow, recurse)

    def forward(self, scores: Scores) -> Correction:
        """Return the correction of every sample."""
        with in_full(scores.device):
            features = fourier_features(scores.to(self.frequencies.dtype), self.frequencies)
            return Correction(self.unet(features), self.vae(features))


def fourier_features(scores: Scores, frequencies: Tensor) -> Tensor:
    """Return [sin 2πdw, cos 2πdw] of each score, blur first.

    >>> fourier_features(torch.zeros(1, 2), torch.ones(2)).tolist()
    [[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]]
    """
    angles = 2 * math.pi * scores[..., None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1).flatten(1)
