"""A discriminator that needs no pretrained weights."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d
from torch.nn.utils.parametrizations import spectral_norm

from dgsr.types import Images


class PatchDiscriminator(nn.Module):
    """Judge overlapping patches of images at several scales.

    Args:
        num_scales: Number of scales; each has half the resolution of the previous one.
        width: Channels after the first convolution; doubled by each further one, up to eightfold.
        num_layers: Stride-2 convolutions per scale; more convolutions judge larger patches.
        seed: Seed of the initial weights.

    Source: pix2pixHD Sec. 3.2, with spectral instead of instance normalisation.
    """

    def __init__(self, num_scales: int = 2, width: int = 32, num_layers: int = 3, seed: int = 0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.scales = nn.ModuleList(_patch_network(width, num_layers) for _ in range(num_scales))

    def forward(self, images: Images) -> list[Tensor]:
        """Return a map of logits per scale, of images in [-1, 1]; high means real."""
        logits = []
        for scale, network in enumerate(self.scales):
            logits.append(network(avg_pool2d(images, 2**scale)))
        return logits


def _patch_network(width: int, num_layers: int) -> nn.Sequential:
    widths = [3] + [width * min(2**i, 8) for i in range(num_layers + 1)]
    layers: list[nn.Module] = []
    for index, (before, after) in enumerate(pairwise(widths)):
        kernel, stride = (4, 2) if index < num_layers else (3, 1)
        layers += [spectral_norm(nn.Conv2d(before, after, kernel, stride, padding=1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1)))
