"""Options of a generator, except for its backbone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

from dgsr.models.adapters.options import MAIN, AdapterOptions, expect_adapters, from_flat, read_adapters
from dgsr.models.backbones.interface import PARTS, Backbone, Part

Trainable = Literal["adapter", "with_decoder", "all"]
Posterior = Literal["mode", "sample"]
Compile = Literal["none", "blocks"]

#: Options that make training cheaper, at their values for inference.
FOR_TRAINING: dict[str, Any] = {"gradient_checkpointing": False, "slice_decoder": False, "compile": "none"}

POSITIVE = "A high-resolution, 8K, ultra-realistic image with sharp focus, vibrant colors, and natural lighting."
NEGATIVE = "oil painting, cartoon, blur, dirty, messy, low quality, deformation, low resolution, oversmooth"


class OptionFields(TypedDict, total=False):
    """The keyword arguments of the constructors of a generator: the fields of `GeneratorOptions`."""

    adapters: Mapping[str, AdapterOptions]
    train_conv_in: bool
    posterior: Posterior
    timestep: int
    positive_prompt: str
    negative_prompt: str
    gradient_checkpointing: bool | Sequence[Part]
    slice_decoder: bool
    channels_last: bool
    compile: Compile
    trainable: Trainable
    seed: int


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    """Options of a generator; each one is a config value, and the defaults are the paper's.

    Attributes:
        adapters: The adapters by name.
        train_conv_in: Train the UNet's first convolution in full.
        posterior: Use the mode of the VAE's posterior, or a sample.
        timestep: The timestep at which the UNet denoises.
        positive_prompt: Describes what the output should look like.
        negative_prompt: Describes what the output should not look like.
        gradient_checkpointing: Recompute activations in the backward pass to save memory, in all networks or some.
        slice_decoder: Decode sample by sample, and keep the activations of one at a time for the backward pass.
        channels_last: Keep weights and activations with channels last in memory, which is faster on most GPUs.
        compile: Compile the blocks of the networks when they first run.
        trainable: Train the adapters as the paper does, the VAE's decoder too, or every weight of the networks.
        seed: Seed of the adapters' initial weights.
    """

    adapters: Mapping[str, AdapterOptions] = field(default_factory=lambda: {MAIN: AdapterOptions()})
    train_conv_in: bool = True
    posterior: Posterior = "mode"
    timestep: int = 999
    positive_prompt: str = POSITIVE
    negative_prompt: str = NEGATIVE
    gradient_checkpointing: bool | Sequence[Part] = False
    slice_decoder: bool = False
    channels_last: bool = False
    compile: Compile = "none"
    trainable: Trainable = "adapter"
    seed: int = 0

    def __post_init__(self) -> None:
        expect_adapters(self.adapters)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], **defaults: Any) -> GeneratorOptions:
        """Build options from keyword arguments, which may be those of earlier versions such as `unet_rank`.

        Args:
            fields: Fields by name; adapters may be plain mappings.
            defaults: Fields whose defaults differ from the paper's.
        """
        fields = {"adapters": {MAIN: {}}, **defaults, **from_flat(fields, defaults.get("adapters"))}
        return cls(**{**fields, "adapters": read_adapters(fields["adapters"])})

    def resolved(self, backbone: Backbone) -> GeneratorOptions:
        """Return the same options without named sets of layers, which later versions may define otherwise."""
        adapters = {name: adapter.resolved(backbone) for name, adapter in self.adapters.items()}
        return dataclasses.replace(self, adapters=adapters)

    @property
    def checkpointed(self) -> Sequence[Part]:
        """The networks under gradient checkpointing."""
        if isinstance(self.gradient_checkpointing, bool):
            return PARTS if self.gradient_checkpointing else ()
        return self.gradient_checkpointing
