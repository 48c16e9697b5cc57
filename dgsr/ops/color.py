"""Give the restored image the colours of the degraded one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from dgsr.types import Images

_LEVELS = 5
_EPSILON = 1e-5


def wavelet_color_fix(content: Images, style: Images) -> Images:
    """Return the content's detail over the style's low frequencies, unclamped.

    Source: StableSR, Sec. 3.4.
    """
    return content - _low_frequencies(content) + _low_frequencies(style)


def adain_color_fix(content: Images, style: Images) -> Images:
    """Return the content with mean and spread of each of the style's channels, unclamped.

    >>> style = torch.rand(1, 3, 8, 8)
    >>> bool(torch.allclose(adain_color_fix(0.5 * style + 0.2, style).mean(), style.mean()))
    True

    Source: Huang and Belongie, Arbitrary style transfer in real time, Eq. 8.
    """
    content_mean, content_std = _moments(content)
    style_mean, style_std = _moments(style)
    return (content - content_mean) / content_std * style_std + style_mean


def _low_frequencies(images: Images) -> Images:
    """Smooth with [1 2 1]ᵀ[1 2 1] / 16 at dilations 1, 2, 4, … (the à trous wavelet transform)."""
    kernel = images.new_tensor([1.0, 2.0, 1.0]) / 4
    rows, columns = (kernel.view(shape).expand(3, 1, -1, -1) for shape in ((1, 1, 3, 1), (1, 1, 1, 3)))
    for level in range(_LEVELS):
        step = 2**level
        images = pad(images, (step,) * 4, mode="replicate")
        images = conv2d(conv2d(images, rows, dilation=(step, 1), groups=3), columns, dilation=(1, step), groups=3)
    return images


def _moments(images: Images) -> tuple[Tensor, Tensor]:
    variance, mean = torch.var_mean(images, dim=(2, 3), keepdim=True)
    return mean, (variance + _EPSILON).sqrt()
