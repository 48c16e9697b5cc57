"""A discriminator over features of VGG-16, whose weights need no model hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from dgsr.checks import expect
from dgsr.features import IMAGENET_MEAN, IMAGENET_STD, VGG16_RELUS, levels, vgg16
from dgsr.models.discriminators.frozen import FrozenFeatures
from dgsr.types import Images


class VggDiscriminator(FrozenFeatures):
    """Train small heads on features of a frozen VGG-16, at their native resolution.

    Shallow blocks describe fine texture, deep blocks describe objects. The features of photographs have standard
    deviations of 1 to 3, so the heads need no normalisation.

    Args:
        features: Where the weights of VGG-16 come from: auto, offline, torchvision, or a path.
        blocks: Blocks whose features are judged, from 1 to 5.
        width: Channels of the heads.
        seed: Seed of the heads' initial weights.

    Raises:
        UserError: The weights cannot be had, or there are no such blocks.

    Source: Sauer et al., Projected GANs converge faster, Sec. 3.1, without its mixing of features.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, features: str = "auto", blocks: Sequence[int] = (1, 2, 3, 4), width: int = 64, seed: int = 0
    ) -> None:
        super().__init__()
        possible = bool(blocks) and all(1 <= block <= len(VGG16_RELUS) for block in blocks)
        expect(possible, "discriminator.blocks among 1 to 5", list(blocks))
        self.backbone = vgg16(features)
        self.after = [VGG16_RELUS[block - 1] for block in blocks]
        widths = [cast(nn.Conv2d, self.backbone[relu - 1]).out_channels for relu in self.after]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.heads = nn.ModuleList(_head(channels, width) for channels in widths)
        for name, values in {"mean": IMAGENET_MEAN, "std": IMAGENET_STD}.items():
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def describe(self, images: Images) -> list[Float[Tensor, "b features _ _"]]:
        """Return the features of each block; images in [-1, 1]."""
        return levels(self.backbone, (images / 2 + 0.5 - self.mean) / self.std, self.after)


def _head(channels: int, width: int) -> nn.Module:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(channels, width, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, 1, 1)),
    )
