"""A plain implementation of the method from its equations, without optimizations, like published programs.

Both prompts are encoded at every call, the UNet runs once for each, and every layer has a separate adapter, whose
correction is set before the networks run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from dgsr.models.options import NEGATIVE, POSITIVE

_TIMESTEP = 999


class CorrectedLora(nn.Module):
    """A layer with an adapter: W x + s·B Cᵀ A x."""

    def __init__(self, layer: Any, a: Tensor, b: Tensor, scale: float) -> None:
        super().__init__()
        self.layer, self.scale = layer, scale
        rank = len(a)
        if isinstance(layer, nn.Conv2d):
            places: dict[str, Any] = {name: getattr(layer, name) for name in ("kernel_size", "stride", "padding")}
            self.a: nn.Module = nn.Conv2d(layer.in_channels, rank, **places, bias=False)
            self.b: nn.Module = nn.Conv2d(rank, layer.out_channels, 1, bias=False)
            self.equation = "nkhw,nkr->nrhw"
        else:
            self.a = nn.Linear(layer.in_features, rank, bias=False)
            self.b = nn.Linear(rank, layer.out_features, bias=False)
            self.equation = "ntk,nkr->ntr"
        self.a.load_state_dict({"weight": a})
        self.b.load_state_dict({"weight": b})
        self.correction = torch.eye(rank)[None]

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the layer's and the adapter's output."""
        middle = torch.einsum(self.equation, self.a(x), self.correction)
        return self.layer(x) + self.scale * self.b(middle)


class PlainS3Diff:
    """Restore images by the equations of the paper.

    Args:
        unet: A diffusers UNet with four down and up blocks that predicts noise; adapters are inserted.
        vae: A diffusers VAE; adapters are inserted into its encoder.
        content: Content of a file in the authors' format.
        encode: Function from a prompt's text to its embedding (1, n, d).
    """

    def __init__(self, unet: Any, vae: Any, content: Mapping[str, Any], encode: Callable[[str], Tensor]) -> None:
        self.unet, self.vae, self.content, self.encode = unet, vae, content, encode
        trained = content["state_dict_unet"]
        unet.conv_in.load_state_dict({name: trained[f"conv_in.{name}"] for name in ("weight", "bias")})
        self.unet_layers = _adapt(unet, trained, content["rank_unet"], "default")
        self.vae_layers = _adapt(vae, content["state_dict_vae"], content["rank_vae"], "vae_skip")
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        self.alpha_bar = float((1 - betas).prod())

    @torch.no_grad()
    def __call__(self, lq_up: Tensor, scores: Tensor, guidance: float) -> Tensor:
        """Return the restored images; all images are in [-1, 1]."""
        latent = self._latent(lq_up, scores)
        toward, away = (self._noise(latent, [text] * len(lq_up)) for text in (POSITIVE, NEGATIVE))
        return self._image(latent, away + guidance * (toward - away))

    def restore(self, lq_up: Tensor, scores: Tensor, texts: Sequence[str]) -> Tensor:
        """Return the restored images without guidance, with one prompt per image, for training."""
        latent = self._latent(lq_up, scores)
        return self._image(latent, self._noise(latent, texts))

    def trained(self) -> dict[str, Tensor]:
        """Return the trained tensors by the authors' names, and freeze all others."""
        self.unet.requires_grad_(False)
        self.vae.requires_grad_(False)
        tensors = {f"unet.conv_in.{name}": tensor for name, tensor in self.unet.conv_in.named_parameters()}
        for network, layers, adapter in (("unet", self.unet_layers, "default"), ("vae", self.vae_layers, "vae_skip")):
            for name, layer in layers.items():
                tensors[f"{network}.{name}.lora_A.{adapter}.weight"] = layer.a.weight
                tensors[f"{network}.{name}.lora_B.{adapter}.weight"] = layer.b.weight
            for part in ("de_mlp", "block_mlp", "fuse_mlp"):
                for name, tensor in self.content[f"state_dict_{network}_{part}"].items():
                    tensors[f"{network}_{part}.{name}"] = tensor
            embeddings = self.content["state_embeddings"][f"state_dict_{network}_block"]["weight"]
            tensors[f"{network}_block_embeddings.weight"] = embeddings
        return {name: tensor.requires_grad_() for name, tensor in tensors.items()}

    def _latent(self, lq_up: Tensor, scores: Tensor) -> Tensor:
        self._correct("vae", self.vae_layers, scores)
        self._correct("unet", self.unet_layers, scores)
        return self.vae.encode(lq_up).latent_dist.mode() * self.vae.config.scaling_factor

    def _noise(self, latent: Tensor, texts: Sequence[str]) -> Tensor:
        with torch.no_grad():
            prompts = torch.cat([self.encode(text) for text in texts])
        return self.unet(latent, _TIMESTEP, encoder_hidden_states=prompts).sample

    def _image(self, latent: Tensor, noise: Tensor) -> Tensor:
        clean = (latent - math.sqrt(1 - self.alpha_bar) * noise) / math.sqrt(self.alpha_bar)
        return self.vae.decode(clean / self.vae.config.scaling_factor).sample.clamp(-1, 1)

    def _correct(self, network: str, layers: Mapping[str, CorrectedLora], scores: Tensor) -> None:
        """Set the correction of every layer to the matrix of its block."""
        angles = 2 * math.pi * scores[:, :, None] * self.content["w"]
        features = torch.cat([angles.sin(), angles.cos()], dim=2).flatten(1)
        degradation = self._mlp(f"{network}_de_mlp", features)
        embeddings = self.content["state_embeddings"][f"state_dict_{network}_block"]["weight"]
        blocks = self._mlp(f"{network}_block_mlp", embeddings)
        fuse = self.content[f"state_dict_{network}_fuse_mlp"]
        for name, layer in layers.items():
            block = blocks[_block(name, len(blocks))].expand(len(scores), -1)
            matrix = functional.linear(torch.cat([degradation, block], dim=1), fuse["weight"], fuse["bias"])
            layer.correction = matrix.view(len(scores), len(layer.correction[0]), -1)

    def _mlp(self, name: str, x: Tensor) -> Tensor:
        weights = self.content[f"state_dict_{name}"]
        return functional.linear(x, weights["0.weight"], weights["0.bias"]).relu()


def _adapt(network: nn.Module, state: Mapping[str, Tensor], rank: int, adapter: str) -> dict[str, CorrectedLora]:
    """Insert an adapter for every layer that has one in the file."""
    layers = {}
    ending = f".lora_A.{adapter}.weight"
    for name in (key.removesuffix(ending) for key in state if key.endswith(ending)):
        a, b = (state[f"{name}.lora_{part}.{adapter}.weight"] for part in "AB")
        parent, _, last = name.rpartition(".")
        layers[name] = CorrectedLora(network.get_submodule(name), a, b, scale=8 / rank)
        setattr(network.get_submodule(parent), last, layers[name])
    return layers


def _block(name: str, count: int) -> int:
    """Return the index of a layer's block: down blocks, middle, up blocks, everything else."""
    match = re.search(r"(down|up)_blocks\.(\d)", name)
    if match:
        return int(match[2]) + (5 if match[1] == "up" else 0)
    return 4 if "mid_block" in name else count - 1
