"""Contestants of the generator benchmark, one process each, with the same weights, images and prompts."""

from __future__ import annotations

import math
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.memory import peak_mib, reset_peak
from benchmarks.networks import TIMESTEP, adapted, networks, text_encoder
from benchmarks.plain_s3diff import PlainS3Diff
from dgsr.checkpoints import save_s3diff
from dgsr.models.adapters.lora import guided_layers
from dgsr.models.backbones.denoising import clean_latent
from dgsr.models.options import NEGATIVE, POSITIVE
from dgsr.models.prompts import Prompts
from dgsr.types import Images, Scores

GUIDANCE = 1.07

Run = Callable[[Images, Scores], Images]


class Ours:
    """dgsr's generator, with low-rank adapters or with adapters baked into the weights."""

    def __init__(self, shapes: str) -> None:
        self.generator = adapted(shapes, torch.zeros(1, 1, 1), torch.zeros(1, 1, 1))  # set by take_prompts
        self.ways: dict[str, Run] = {"dgsr": self.low_rank, "dgsr, baked": self.baked}

    def take_prompts(self, positive: Tensor, negative: Tensor) -> None:
        """Use the given prompt embeddings."""
        self.generator.prompts = Prompts(positive, negative, (POSITIVE, NEGATIVE))

    def low_rank(self, lq_up: Images, scores: Scores) -> Images:
        """Restore with separate low-rank adapters."""
        prompts = self.generator.prompts
        return self.generator(lq_up, scores, prompts.positive, prompts.negative, GUIDANCE)

    def baked(self, lq_up: Images, scores: Scores) -> Images:
        """Merge the adapters into the weights, restore images, and undo the merge."""
        with self.generator.baked(self.generator.correction(scores)):
            return self.low_rank(lq_up, scores)

    def operations(self, lq_up: Images, scores: Scores) -> dict[str, float]:
        """Count billions of multiplications of the adapted layers, of their adapters, and of baking."""
        layers = [
            layer for network in ("unet", "vae") for _, layer in guided_layers(self.generator.get_submodule(network))
        ]
        counts = dict.fromkeys(("layers", "low_rank", "baking"), 0.0)

        def count(layer: Any, _: Any, output: Tensor) -> None:
            weight = layer.base_layer.weight
            rank = layer.r["default"]
            places = output.numel() / len(weight)
            counts["layers"] += places * weight.numel() / 1e9
            counts["low_rank"] += places * rank * (weight[0].numel() + len(weight)) / 1e9

        hooks = [layer.register_forward_hook(count) for layer in layers]
        self.low_rank(lq_up, scores)
        for hook in hooks:
            hook.remove()
        counts["baking"] = sum(layer.r["default"] * layer.base_layer.weight.numel() for layer in layers) / 1e9
        return {name: round(value, 3) for name, value in counts.items()}


class Bare:
    """Plain diffusers networks without adapters or conditioning; both prompts are one batch."""

    def __init__(self, shapes: str) -> None:
        self.backbone = networks(shapes)
        self.ways: dict[str, Run] = {"bare diffusers": self.restore}

    def take_prompts(self, positive: Tensor, negative: Tensor) -> None:
        """Use the given prompt embeddings."""
        self.prompts = torch.cat([positive, negative])

    def restore(self, lq_up: Images, scores: Scores) -> Images:
        """Encode, denoise and decode."""
        vae, unet = self.backbone.vae, self.backbone.unet
        factor = vae.config["scaling_factor"]
        latent = vae.encode(lq_up, return_dict=False)[0].mode() * factor
        toward, away = unet(latent.repeat(2, 1, 1, 1), TIMESTEP, self.prompts, return_dict=False)[0].chunk(2)
        clean = clean_latent(latent, away + GUIDANCE * (toward - away), self.backbone.alpha_bar(TIMESTEP), "epsilon")
        return vae.decode(clean / factor, return_dict=False)[0].clamp(-1, 1)


class Plain:
    """The plain implementation, with the adapter that `Ours` wrote in the authors' format."""

    def __init__(self, shapes: str, adapter: Path) -> None:
        backbone, content = networks(shapes), torch.load(adapter, weights_only=True)
        self.method = PlainS3Diff(backbone.unet, backbone.vae, content, text_encoder(shapes))
        self.ways: dict[str, Run] = {"plain": lambda lq_up, scores: self.method(lq_up, scores, GUIDANCE)}

    def prompts(self) -> tuple[Tensor, Tensor]:
        """Return the prompt embeddings."""
        return self.method.encode(POSITIVE), self.method.encode(NEGATIVE)


@torch.no_grad()
def serve(connection: Connection, who: str, shapes: str, adapter: Path) -> None:
    """Answer requests until the connection is closed."""
    contestant: Any = {"ours": Ours, "bare": Bare}[who](shapes) if who != "plain" else Plain(shapes, adapter)
    for module in vars(contestant).values():
        if isinstance(module, nn.Module):
            module.eval()
    while True:
        try:
            request, arguments = connection.recv()
        except EOFError:
            return
        connection.send(_answer(contestant, request, arguments, adapter))


def _answer(contestant: Any, request: str, arguments: tuple[Any, ...], adapter: Path) -> Any:
    match request:
        case "write_adapter":
            return save_s3diff(contestant.generator, adapter)
        case "prompts":
            return tuple(embedding.numpy() for embedding in contestant.prompts())
        case "take_prompts":
            return contestant.take_prompts(*map(torch.from_numpy, arguments))
        case "run":
            way, side_px = arguments
            reset_peak()
            sr = contestant.ways[way](*_input(side_px))
            return sr.numpy(), math.ceil(peak_mib())
        case "operations":
            return contestant.operations(*_input(*arguments))
        case _:
            raise AssertionError(request)


def _input(side_px: int) -> tuple[Images, Scores]:
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(3)) * 2 - 1
    image = nn.functional.interpolate(coarse, (side_px, side_px), mode="bicubic").clamp(-1, 1)
    return image, torch.tensor([[0.3, 0.6]])
