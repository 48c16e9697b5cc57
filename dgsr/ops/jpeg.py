"""Simulate baseline JPEG compression, without the lossless entropy coding."""

from __future__ import annotations

import functools
import math
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.ops.constants import constant
from dgsr.types import Images

Planes: TypeAlias = Float[Tensor, "b c h w"]
Table: TypeAlias = Float[Tensor, " 64"]

_LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA_CORNER = ((17, 18, 24, 47), (18, 21, 26, 66), (24, 26, 56, 99), (47, 66, 99, 99))
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_TO_RGB = ((0.0, 1.402), (-0.344136, -0.714136), (1.772, 0.0))  # contribution of chroma
_MIN_FACTOR = 1e-3  # avoids division by zero at quality 100; the loss stays invisible


def jpeg(images: Images, quality: float, chroma_step: Literal[1, 2] = 2) -> Images:
    """Clamp images to [0, 1], compress them at a quality in [1, 100] and decompress them.

    `chroma_step` 1 keeps all chroma pixels (4:4:4), 2 averages them in pairs along both axes (4:2:0). The quantisation
    tables are scaled but not rounded, as in DiffJPEG. Images are padded with black.
    """
    height, width = images.shape[-2:]
    padded = images.new_empty(*images.shape[:2], height + -height % 16, width + -width % 32)
    padded[..., height:, :], padded[..., width:] = 0, 0
    torch.mul(images, 255, out=padded[..., :height, :width]).clamp_(0, 255)
    ycbcr = (constant(_TO_YCBCR, images.device) @ padded.flatten(2)).view(padded.shape)
    factor = _step_factor(quality)
    luma = _quantise(ycbcr[:, :1].sub_(128), factor * _luma_table(images.device), 1)
    kept = ycbcr[:, 1:] if chroma_step == 1 else _halve(ycbcr[:, 1:])
    chroma = _quantise(kept, factor * _chroma_table(images.device), chroma_step)
    to_rgb = constant(_TO_RGB, images.device).expand(len(images), -1, -1)
    rgb = torch.baddbmm(luma.flatten(2).add_(128 / 255), to_rgb, chroma.flatten(2)).clamp_(0, 1)
    return rgb.view(padded.shape)[..., :height, :width]


def _halve(planes: Planes) -> Float[Tensor, "b c half_h half_w"]:
    top, bottom = planes[..., 0::2, :], planes[..., 1::2, :]
    return (top[..., 0::2] + top[..., 1::2] + bottom[..., 0::2] + bottom[..., 1::2]) / 4


def _step_factor(quality: float) -> float:
    """Return the scale of the quantisation tables for a quality, as libjpeg does."""
    return max(50 / quality if quality < 50 else 2 - quality / 50, _MIN_FACTOR)


def _quantise(planes: Planes, steps: Table, repeat: int) -> Float[Tensor, "b c repeated_h repeated_w"]:
    """Quantise the DCT coefficients of 8x8 blocks, transform back, divide by 255 and repeat each pixel.

    The order of operations before rounding is that of DiffJPEG, because another order rounds more ties differently.
    The inverse transform processes the rows of two blocks at a time, for speed.
    """
    batch, channels, height, width = planes.shape
    blocks = planes.reshape(batch, channels, height // 8, 8, width // 8, 8).transpose(3, 4).reshape(-1, 64)
    cosines, scale = _cosines(planes.device)
    levels = (blocks @ cosines.T).mul_(scale).div_(steps).round_().mul_(scale * steps / 255)
    columns, rows = _inverse(repeat, planes.device)
    restored = levels.view(-1, width // 8, 8, 8).transpose(1, 2).reshape(-1, 16) @ rows
    restored = torch.bmm(columns.expand(len(levels) * 8 // width, -1, -1), restored.view(-1, 8, repeat * width))
    return restored.view(batch, channels, repeat * height, repeat * width)


@functools.cache
def _cosines(device: torch.device) -> tuple[Float[Tensor, "64 64"], Table]:
    """Return the 2D DCT basis of an 8x8 block, flattened, and the scale that makes it orthonormal."""
    cosines = _cosine_table()
    scale = torch.tensor([math.sqrt(1 / 8)] + 7 * [1 / 2], dtype=torch.float64)
    return torch.kron(cosines, cosines).float().to(device), torch.kron(scale, scale).float().to(device)


@functools.cache
def _inverse(repeat: int, device: torch.device) -> tuple[Float[Tensor, "px 8"], Float[Tensor, "16 two_px"]]:
    """Return the inverse DCT with repeated pixels, for the columns of one block and the rows of two blocks."""
    rows = _cosine_table().repeat_interleave(repeat, 1)
    return rows.T.float().to(device), torch.kron(torch.eye(2), rows).float().to(device)


def _cosine_table() -> Float[Tensor, "8 8"]:
    place = torch.arange(8, dtype=torch.float64)
    return torch.cos((2 * place + 1) * place[:, None] * math.pi / 16)


@functools.cache
def _luma_table(device: torch.device) -> Table:
    # DiffJPEG transposes the standard table; follow it, as published training data were degraded with it.
    return constant(_LUMA_TABLE, device).T.flatten()


@functools.cache
def _chroma_table(device: torch.device) -> Table:
    table = torch.full((8, 8), 99.0, device=device)
    table[:4, :4] = constant(_CHROMA_CORNER, device)
    return table.flatten()
