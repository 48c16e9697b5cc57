"""Transfer the colours of the degraded image to the restored image."""

from __future__ import annotations

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

#: Grey or RGB images.
ColorPlanes: TypeAlias = Float[Tensor, "b c h w"]
ChannelSums: TypeAlias = Float[Tensor, "b 3 c"]

_LEVELS = 5
_EPSILON = 1e-5


def wavelet_color_fix(content: ColorPlanes, style: ColorPlanes) -> ColorPlanes:
    """Combine the high frequencies of `content` with the low frequencies of `style`; the result is not clamped.

    Source: StableSR, Sec. 3.4.
    """
    return content - _low_frequencies(content) + _low_frequencies(style)


def adain_color_fix(content: ColorPlanes, style: ColorPlanes) -> ColorPlanes:
    """Shift and scale each channel of `content` to the mean and deviation of `style`; the result is not clamped.

    >>> style = torch.rand(1, 3, 8, 8)
    >>> bool(torch.allclose(adain_color_fix(0.5 * style + 0.2, style).mean(), style.mean()))
    True

    Source: Huang and Belongie, Arbitrary style transfer in real time, Eq. 8.
    """
    gain, offset = adain_map(channel_sums(content), channel_sums(style))
    return content * gain.to(content) + offset.to(content)


def channel_sums(images: ColorPlanes) -> ChannelSums:
    """Return count, sum and sum of squares of each channel; those of an image are the sum over its tiles."""
    pixels = images.flatten(2).double()
    return torch.stack([torch.ones_like(pixels).sum(2), pixels.sum(2), (pixels**2).sum(2)], dim=1)


def adain_map(content: ChannelSums, style: ChannelSums) -> tuple[Float[Tensor, "b c 1 1"], Float[Tensor, "b c 1 1"]]:
    """Return the gain and offset that give `content` the channel means and deviations of `style`."""
    (content_mean, content_std), (style_mean, style_std) = _moments(content), _moments(style)
    gain = style_std / content_std
    return gain[..., None, None], (style_mean - gain * content_mean)[..., None, None]


def _low_frequencies(images: ColorPlanes) -> ColorPlanes:
    """Smooth with [1 2 1]ᵀ[1 2 1] / 16 at dilations 1, 2, 4, … (the à trous wavelet transform)."""
    kernel = images.new_tensor([1.0, 2.0, 1.0]) / 4
    rows, columns = (kernel.view(shape).expand(images.shape[1], 1, -1, -1) for shape in ((1, 1, 3, 1), (1, 1, 1, 3)))
    for level in range(_LEVELS):
        step = 2**level
        images = pad(images, (step,) * 4, mode="replicate")
        images = conv2d(
            conv2d(images, rows, dilation=(step, 1), groups=len(rows)), columns, dilation=(1, step), groups=len(rows)
        )
    return images


def _moments(sums: ChannelSums) -> tuple[Tensor, Tensor]:
    count, first, second = sums.unbind(dim=1)
    mean = first / count
    variance = (second - count * mean**2) / (count - 1).clamp(min=1)
    return mean, (variance.clamp(min=0) + _EPSILON).sqrt()
