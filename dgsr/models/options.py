"""What can be chosen about a generator, apart from its backbone."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, ParamSpec, TypeVar, get_args, get_type_hints

from dgsr.checks import expect
from dgsr.models.conditioning import Init, Kind
from dgsr.models.lora import UNET_TARGETS, VAE_TARGETS

Trainable = Literal["adapter", "with_decoder", "all"]
Posterior = Literal["mode", "sample"]
Part = Literal["unet", "encoder", "decoder"]
PARTS: tuple[Part, ...] = get_args(Part)

#: What makes training cheaper, or takes minutes before it makes anything so; of no use to who takes a trained model.
FOR_TRAINING: dict[str, Any] = {"gradient_checkpointing": False, "slice_decoder": False, "compile": "none"}

POSITIVE = "A high-resolution, 8K, ultra-realistic image with sharp focus, vibrant colors, and natural lighting."
NEGATIVE = "oil painting, cartoon, blur, dirty, messy, low quality, deformation, low resolution, oversmooth"


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    """Options of a generator; each one is a config value, and the defaults are the paper's.

    Attributes:
        unet_rank: Rank of the UNet's adapters.
        vae_rank: Rank of the VAE's adapters.
        alpha: The adapters' scale is alpha / rank.
        unet_targets: Layers to adapt: a named set, ends of names, or an expression for the whole name.
        vae_targets: The same for the VAE.
        conditioning: What the correction depends on: scores and block, scores alone, or nothing (plain LoRA).
        init: Start the correction at zero, as the paper does, or near the identity.
        train_conv_in: Train the UNet's first convolution in full.
        posterior: Take the mode of the VAE's posterior, or a sample.
        timestep: At which the UNet denoises.
        positive_prompt: What the output should look like.
        negative_prompt: What it should not look like.
        gradient_checkpointing: Recompute activations in the backward pass, to save memory: in all networks or some.
        slice_decoder: Decode sample by sample, and in the backward pass keep the activations of one alone.
        channels_last: Keep weights and activations with channels last in memory, which is faster on most GPUs.
        compile: Compile the blocks of the networks when they first run, or nothing.
        trainable: Train the adapter as the paper does, the VAE's decoder too, or every weight of the networks.
        seed: Of the adapter's initial weights.
    """

    unet_rank: int = 32
    vae_rank: int = 16
    alpha: float = 8.0
    unet_targets: str | Sequence[str] = "paper"
    vae_targets: str | Sequence[str] = "paper"
    conditioning: Kind = "guided"
    init: Init = "paper"
    train_conv_in: bool = True
    posterior: Posterior = "mode"
    timestep: int = 999
    positive_prompt: str = POSITIVE
    negative_prompt: str = NEGATIVE
    gradient_checkpointing: bool | Sequence[Part] = False
    slice_decoder: bool = False
    channels_last: bool = False
    compile: Literal["none", "blocks"] = "none"
    trainable: Trainable = "adapter"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("unet_rank", "vae_rank"):
            value = getattr(self, name)
            expect(value > 0, "a rank above 0", value, f"Set generator.{name} to 4 or more.")

    @property
    def checkpointed(self) -> Sequence[Part]:
        """The networks under gradient checkpointing."""
        if isinstance(self.gradient_checkpointing, bool):
            return PARTS if self.gradient_checkpointing else ()
        return self.gradient_checkpointing

    @property
    def resolved_unet_targets(self) -> str | list[str]:
        """The UNet's targets, a named set spelt out."""
        return _resolve(self.unet_targets, UNET_TARGETS)

    @property
    def resolved_vae_targets(self) -> str | list[str]:
        """The VAE's targets, a named set spelt out."""
        return _resolve(self.vae_targets, VAE_TARGETS)


def _resolve(targets: str | Sequence[str], named: dict[str, Any]) -> str | list[str]:
    if isinstance(targets, str):
        return named.get(targets, targets)
    return list(targets)


_P = ParamSpec("_P")
_R = TypeVar("_R")


def takes_options(**defaults: Any) -> Callable[[Callable[_P, _R]], Callable[..., _R]]:
    """Let a function be called with the fields of `GeneratorOptions`; it receives them as its argument `options`.

    They stand in its signature, by which configs are checked before anything is built.

    Args:
        defaults: Where this function's defaults differ from the paper's.
    """

    def decorate(function: Callable[_P, _R]) -> Callable[..., _R]:
        names = [field.name for field in fields(GeneratorOptions)]

        @functools.wraps(function)
        def with_options(*args: Any, **given: Any) -> _R:
            chosen = {name: given.pop(name) for name in names if name in given}
            return function(*args, **given, options=GeneratorOptions(**{**defaults, **chosen}))  # pyright: ignore

        own = inspect.signature(function)
        hints = get_type_hints(GeneratorOptions)
        spelt = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(field.name, field.default),
                annotation=hints[field.name],
            )
            for field in fields(GeneratorOptions)
        ]
        kept = [parameter for name, parameter in own.parameters.items() if name != "options"]
        with_options.__signature__ = own.replace(parameters=[*kept, *spelt])  # pyright: ignore
        return with_options

    return decorate
