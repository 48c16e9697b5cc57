"""Start a small random autoencoder as a resampler, so that minutes of training improve on interpolation.

A random encoder and decoder spend their first hours on learning to copy. This start copies from the first step: the
encoder averages 4×4 pixels and stacks 2×2 of these averages as latent channels; the decoder interpolates them back.
All residual branches start at zero and all other weights keep their random values.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from dgsr.checks import expect

_PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))

#: Much larger than the data in every normalised group, so that the group's scale is the same for every image.
_REFERENCE = 6.0

# After a nearest-neighbour enlargement, one kernel must serve both the left and the right pixel of a cell. These taps
# on the (left, right) channels are the least-squares solution for smooth signals.
_LEFT, _RIGHT = torch.tensor([-1 / 6, 1 / 3, 1 / 3]), torch.tensor([1 / 3, 1 / 3, -1 / 6])
_SMOOTH = torch.tensor([0.25, 0.5, 0.25])


@torch.no_grad()
def start_as_resampler(vae: AutoencoderKL, gain: float = 1.0) -> None:
    """Set the weights of a four-block autoencoder in place.

    Args:
        vae: Four blocks each way, at least 12 latent channels.
        gain: Factor on the latent that the decoder sees, against a denoiser that shrinks it.
    """
    channels = vae.config["latent_channels"]
    expect(channels >= 12, "at least 12 latent channels", channels, "Set generator.latent_channels=16.")
    encoder, decoder = vae.encoder, vae.decoder
    for module in vae.modules():
        _silence(module)
    for convolution in (encoder.conv_in, vae.quant_conv, vae.post_quant_conv, decoder.conv_in):
        _copy(convolution)
    decoder.conv_in.weight.mul_(gain)
    _encode(encoder)
    _decode(decoder)


def _silence(module: nn.Module) -> None:
    """Let a residual branch start at zero."""
    if isinstance(module, ResnetBlock2D):
        _empty(module.conv2)
        if module.conv_shortcut is not None:
            _copy(module.conv_shortcut)
    if isinstance(module, Attention):
        output: Any = module.to_out
        output[0].weight.zero_()
        output[0].bias.zero_()


def _encode(encoder: nn.Module) -> None:
    blocks: Any = encoder.down_blocks
    for block in blocks[:2]:
        average = _empty(block.downsamplers[0].conv)
        for channel in range(3):
            average.weight[channel, channel, :2, :2] = 0.25
    stack = _empty(blocks[2].downsamplers[0].conv)
    for channel in range(3):
        for phase, (row, column) in enumerate(_PHASES):
            stack.weight[4 * channel + phase, channel, row, column] = 1
    _through_norm(blocks[3].resnets[0].conv_shortcut, encoder.conv_norm_out, encoder.conv_out, 12)


def _decode(decoder: nn.Module) -> None:
    blocks: Any = decoder.up_blocks
    unstack = _empty(blocks[0].upsamplers[0].conv)
    for channel in range(3):
        for phase, (row, column) in enumerate(_PHASES):
            unstack.weight[channel, 4 * channel + phase] = (_LEFT, _RIGHT)[row].outer((_LEFT, _RIGHT)[column])
    for block in blocks[1:3]:
        interpolate = _empty(block.upsamplers[0].conv)
        for channel in range(3):
            interpolate.weight[channel, channel] = _SMOOTH.outer(_SMOOTH)
    _through_norm(blocks[3].resnets[0].conv_shortcut, decoder.conv_norm_out, decoder.conv_out, 3)


def _through_norm(shortcut: Any, norm: Any, output: Any, count: int) -> None:
    """Let the first channels pass the last block, its group normalisation and SiLU linearly.

    Each value travels as (x, -x), since silu(x) - silu(-x) = x. In each group one more pair is the constant
    (reference, -reference), so that the group's deviation does not depend on the image.
    """
    expected = "widths that differ between the first two blocks, and between the last two"
    expect(shortcut is not None, expected, "equal ones", "Widen one of the two.")
    size = norm.num_channels // norm.num_groups
    groups = range(0, norm.num_channels, size)
    pairs = [(start + at, start + at + 1) for at in range(2, size - 1, 2) for start in groups]
    expect(len(pairs) >= count, f"room for {count} channels in the last block", len(pairs), "Widen it.")
    before, after = _empty(shortcut), _empty(output)
    assert before.bias is not None
    for start in groups:
        before.bias[start], before.bias[start + 1] = _REFERENCE, -_REFERENCE
    deviation = _REFERENCE * (2 / size) ** 0.5
    for channel, (plus, minus) in enumerate(pairs[:count]):
        before.weight[plus, channel], before.weight[minus, channel] = 1, -1
        after.weight[channel, plus, 1, 1], after.weight[channel, minus, 1, 1] = deviation, -deviation


def _empty(convolution: nn.Module) -> nn.Conv2d:
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.bias is not None
    convolution.weight.zero_()
    convolution.bias.zero_()
    return convolution


def _copy(convolution: Any) -> None:
    """Make a convolution the identity on its channels."""
    emptied = _empty(convolution)
    centre = emptied.kernel_size[0] // 2
    for channel in range(min(emptied.in_channels, emptied.out_channels)):
        emptied.weight[channel, channel, centre, centre] = 1
