"""Trade time for memory, and time once for time at every step, in networks of diffusers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import Decoder, Encoder
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import nn

from dgsr.models.lora import CorrectionBank
from dgsr.models.options import GeneratorOptions


def economise(
    unet: UNet2DConditionModel,
    vae: AutoencoderKL,
    unet_bank: CorrectionBank,
    vae_bank: CorrectionBank,
    options: GeneratorOptions,
) -> None:
    """Apply what the options say to networks that have their adapters; a sliced decoder is the generator's business."""
    parts = {"unet": (unet, unet_bank), "encoder": (vae.encoder, vae_bank), "decoder": (vae.decoder, vae_bank)}
    for part in options.checkpointed:
        network, bank = parts[part]
        checkpoint_blocks(network, bank.checkpoint)
    for network in (unet, vae):
        if options.channels_last:
            network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        if options.compile == "blocks":
            compile_blocks(network)


def checkpoint_blocks(network: nn.Module, checkpoint: Callable[..., Any]) -> None:
    """Let `checkpoint` run the blocks of a network, so that their activations are recomputed in the backward pass."""
    # The blocks of a VAE are checkpointed whole; those in its middle could be so once more, inside.
    modules = [network] if isinstance(network, Encoder | Decoder) else network.modules()
    module: Any
    for module in modules:
        if hasattr(module, "gradient_checkpointing"):
            module.gradient_checkpointing = True
            module._gradient_checkpointing_func = checkpoint


def compile_blocks(network: nn.Module, **how: Any) -> None:
    """Compile every residual and transformer block in place, where it is; names of weights stay as they are.

    Adapters have to be in place. Blocks of the same shapes, in the same place of the correction, share their code.

    Args:
        network: What is compiled when it first runs.
        how: Handed on to `torch.compile`.
    """
    blocks = [module for module in network.modules() if isinstance(module, ResnetBlock2D | BasicTransformerBlock)]
    limits = torch._dynamo.config
    limits.recompile_limit = max(limits.recompile_limit, 4 * len(blocks))
    for block in blocks:
        block.compile(**how)
