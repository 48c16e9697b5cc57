"""Compute PSNR and SSIM on luma or RGB."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from dgsr.checks import expect
from dgsr.metrics.metric import Metric
from dgsr.types import Images

Channel = Literal["y", "rgb"]

_WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2
_LEAST_ERROR = 1e-8


class _Fidelity(Metric):
    """Base of PSNR and SSIM with their options.

    Args:
        channel: y for the luma of BT.601, or rgb.
        crop_border_px: Pixels to crop on all sides before measuring, as for many published values.
    """

    direction: Literal["higher", "lower"] = "higher"

    def __init__(self, channel: Channel = "y", crop_border_px: int = 0) -> None:
        super().__init__()
        remedy = "Set metrics.crop_border_px=0."
        expect(crop_border_px >= 0, "a border of 0 px or more", crop_border_px, remedy)
        self.channel: Channel = channel
        self.border = crop_border_px
        self.min_side_px += 2 * crop_border_px
        border = f", border of {crop_border_px} px cut" if crop_border_px else ""
        self.variant = f"{channel.upper()}, 8-bit{border}"

    def _planes(self, images: Images) -> Float[Tensor, "b _ _ _"]:
        """Return luma or RGB without the border."""
        height, width = images.shape[-2:]
        inner = images[..., self.border : height - self.border, self.border : width - self.border]
        return luma(inner) if self.channel == "y" else inner


class Psnr(_Fidelity):
    """Peak signal-to-noise ratio in dB; 80 for equal images.

    Differs from the definition: 1e-8 is added to the mean squared error, as in commonly published values, so that
    averages stay finite.
    """

    name = "psnr"

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return 10 log10(1 / MSE)."""
        error = (self._planes(sr) - self._planes(hq)).square().mean(dim=(1, 2, 3))
        return -10 * (error + _LEAST_ERROR).log10()


class Ssim(_Fidelity):
    """Structural similarity at the images' own size; for RGB the mean over channels.

    Source: Wang et al., Image quality assessment: from error visibility to structural similarity, Eq. 13.
    Differs from the paper: Y is rounded and negative contrast counts as 0, as in commonly published values.
    """

    name = "ssim"
    min_side_px = _WINDOW

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return the average over all windows inside the image."""
        x, y = (_rounded(self._planes(images)).double() for images in (sr, hq))  # differences of squares need it
        mean_x, mean_y = _windowed(x), _windowed(y)
        var_x = _windowed(x * x) - mean_x.square()
        var_y = _windowed(y * y) - mean_y.square()
        covariance = _windowed(x * y) - mean_x * mean_y
        contrast = (2 * covariance + _C2) / (var_x + var_y + _C2)
        luminance = (2 * mean_x * mean_y + _C1) / (mean_x.square() + mean_y.square() + _C1)
        return (luminance * contrast.relu()).mean(dim=(1, 2, 3)).float()


def luma(images: Images) -> Float[Tensor, "b 1 h w"]:
    """Return the luma Y of BT.601, in [16/255, 235/255].

    >>> luma(torch.ones(1, 3, 1, 1)).mul(255).round().item()
    235.0
    """
    red, green, blue = images.split(1, dim=1)
    return (65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255


def _rounded(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    return (values * 255).round() / 255


def _windowed(values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c _ _"]:
    offsets = torch.arange(_WINDOW, dtype=values.dtype, device=values.device) - _WINDOW // 2
    weights = (-0.5 * (offsets / _SIGMA).square()).exp()
    weights = (weights / weights.sum()).expand(values.shape[1], 1, 1, -1)
    groups = values.shape[1]
    return conv2d(conv2d(values, weights.mT, groups=groups), weights, groups=groups)
