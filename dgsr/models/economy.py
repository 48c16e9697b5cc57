"""Trade time for memory, or start-up time for speed, in the networks of a backbone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from diffusers.models.autoencoders.vae import Decoder, Encoder
from torch import nn

from dgsr.models.adapters.bank import CorrectionBank
from dgsr.models.backbones.interface import Backbone, Network
from dgsr.models.options import GeneratorOptions


def economise(backbone: Backbone, banks: Mapping[Network, CorrectionBank], options: GeneratorOptions) -> None:
    """Apply the options that save memory or time to networks that have their adapters.

    The generator itself slices the decoder.
    """
    for part in options.checkpointed:
        checkpoint_blocks(backbone.parts[part], banks["unet" if part == "unet" else "vae"].checkpoint)
    for network in backbone.networks.values():
        if options.channels_last:
            network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        if options.compile == "blocks":
            compile_blocks(network, backbone.block_types)


def checkpoint_blocks(network: nn.Module, checkpoint: Callable[..., Any]) -> None:
    """Let `checkpoint` run the blocks of a network, so that their activations are recomputed in the backward pass."""
    # The blocks of a VAE are checkpointed whole; those in its middle could be checkpointed once more, inside.
    modules = [network] if isinstance(network, Encoder | Decoder) else network.modules()
    module: Any
    for module in modules:
        if hasattr(module, "gradient_checkpointing"):
            module.gradient_checkpointing = True
            module._gradient_checkpointing_func = checkpoint


def compile_blocks(network: nn.Module, block_types: tuple[type[nn.Module], ...], **settings: Any) -> None:
    """Compile every block of a network in place; the names of weights stay as they are.

    Adapters must be in place. Blocks of equal shapes at the same place of the correction share their code.

    Args:
        network: The network, whose blocks are compiled when they first run.
        block_types: The modules to compile one by one.
        settings: Passed on to `torch.compile`.
    """
    blocks = [module for module in network.modules() if isinstance(module, block_types)]
    limits = torch._dynamo.config
    limits.recompile_limit = max(limits.recompile_limit, 4 * len(blocks))
    for block in blocks:
        block.compile(**settings)
