"""PSNR and SSIM on luma."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d

from dgsr.checks import expect
from dgsr.metrics.metric import Metric
from dgsr.types import Images

_WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2


class Psnr(Metric):
    """Peak signal-to-noise ratio on Y, in dB."""

    name = "psnr"
    direction: Literal["higher", "lower"] = "higher"
    variant = "Y, 8-bit"

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Return 10 log10(1 / MSE); equal images give infinity."""
        return -10 * (luma(sr) - luma(hq)).square().mean(dim=(1, 2, 3)).log10()


class Ssim(Metric):
    """Structural similarity on Y, at the images' own size.

    Source: Wang et al., Image quality assessment: from error visibility to structural similarity, Eq. 13.
    Differs from the paper: Y is rounded and negative contrast counts as none, as in the values others publish.
    """

    name = "ssim"
    direction: Literal["higher", "lower"] = "higher"
    variant = "rounded Y, 8-bit"

    def measure(self, sr: Images, hq: Images) -> Float[Tensor, " b"]:
        """Average over all windows that lie within the image.

        Raises:
            UserError: No window does.
        """
        size = tuple(sr.shape[-2:])
        expect(min(size) >= _WINDOW, f"images of at least {_WINDOW} pixels a side for SSIM", size)
        x, y = _rounded(luma(sr)), _rounded(luma(hq))
        mean_x, mean_y = _windowed(x), _windowed(y)
        var_x = _windowed(x * x) - mean_x.square()
        var_y = _windowed(y * y) - mean_y.square()
        covariance = _windowed(x * y) - mean_x * mean_y
        contrast = (2 * covariance + _C2) / (var_x + var_y + _C2)
        luminance = (2 * mean_x * mean_y + _C1) / (mean_x.square() + mean_y.square() + _C1)
        return (luminance * contrast.relu()).mean(dim=(1, 2, 3))


def luma(images: Images) -> Float[Tensor, "b 1 h w"]:
    """Return the Y of BT.601, between 16/255 and 235/255.

    >>> luma(torch.ones(1, 3, 1, 1)).mul(255).round().item()
    235.0
    """
    red, green, blue = images.split(1, dim=1)
    return (65.481 * red + 128.553 * green + 24.966 * blue + 16) / 255


def _rounded(values: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    return (values * 255).round() / 255


def _windowed(values: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 _ _"]:
    offsets = torch.arange(_WINDOW, dtype=values.dtype, device=values.device) - _WINDOW // 2
    weights = (-0.5 * (offsets / _SIGMA).square()).exp()
    weights = weights / weights.sum()
    return conv2d(conv2d(values, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
