"""A U-Net that judges every pixel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu
from torch.nn.utils.parametrizations import spectral_norm

from dgsr.types import Images


class UNetDiscriminator(nn.Module):
    """Judge every pixel in its context.

    Args:
        width: Channels at full resolution; doubled by each of the three halvings.
        seed: Seed of the initial weights.

    Source: Real-ESRGAN Sec. 3.3.
    """

    def __init__(self, width: int = 64, seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = nn.Conv2d(3, width, 3, padding=1)
            self.down = nn.ModuleList(_down(width * 2**depth) for depth in range(3))
            self.up = nn.ModuleList(_same(width * 2 ** (depth + 1), width * 2**depth) for depth in (2, 1, 0))
            self.refine = nn.ModuleList(_same(width, width) for _ in range(2))
            self.last = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, images: Images) -> list[Tensor]:
        """Return one map of logits at the images' size, 8 pixels or more; images in [-1, 1], high means real."""
        held = _active(self.first(images))
        skips = []
        for layer in self.down:
            skips.append(held)
            held = _active(layer(held))
        for layer in self.up:
            skip = skips.pop()
            # Resize to the skip's size, which is not exactly double where a side was odd.
            held = interpolate(held, skip.shape[-2:], mode="bilinear", align_corners=False)
            held = _active(layer(held)) + skip
        for layer in self.refine:
            held = _active(layer(held))
        return [self.last(held)]


def _down(width: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False))


def _same(before: int, after: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(before, after, 3, padding=1, bias=False))


def _active(features: Tensor) -> Tensor:
    return leaky_relu(features, 0.2)
