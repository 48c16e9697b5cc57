"""Compress images as baseline JPEG does, up to the entropy coding, which loses nothing."""

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
_TO_RGB = ((0.0, 1.402), (-0.344136, -0.714136), (1.772, 0.0))  # what chroma adds to luma
_FINEST = 1e-3  # at quality 100 the steps would be 0; this keeps the quotients finite and the loss invisible


def jpeg(images: Images, quality: float, chroma_step: Literal[1, 2] = 2) -> Images:
    """Clamp images to [0, 1], compress them at a quality in [1, 100] and decompress them.

    Chroma keeps every pixel (4:4:4) or every second, along both sides (4:2:0). The quantisation tables are
    scaled but not rounded, as in DiffJPEG; borders are filled up with black.
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
    """Return the factor of the quantisation tables, after the convention of libjpeg."""
    return max(50 / quality if quality < 50 else 2 - quality / 50, _FINEST)


def _quantise(planes: Planes, steps: Table, repeat: int) -> Float[Tensor, "b c repeated_h repeated_w"]:
    """Round the cosine coefficients of all 8x8 blocks to multiples of their steps, divide by 255, repeat each pixel.

    Before the rounding, everything is summed up and scaled as DiffJPEG does it: another order turns more ties the
    other way. After it, small matrices restore rows, of two blocks at a time for speed, and columns where they lie.
    """
    batch, channels, height, width = planes.shape
    blocks = planes.reshape(batch, channels, height // 8, 8, width // 8, 8).transpose(3, 4).reshape(-1, 64)
    cosines, scale = _cosines(planes.device)
    levels = (blocks @ cosines.T).mul_(scale).div_(steps).round_().mul_(scale * steps / 255)
    columns, rows = _restoring(repeat, planes.device)
    restored = levels.view(-1, width // 8, 8, 8).transpose(1, 2).reshape(-1, 16) @ rows
    restored = torch.bmm(columns.expand(len(levels) * 8 // width, -1, -1), restored.view(-1, 8, repeat * width))
    return restored.view(batch, channels, repeat * height, repeat * width)


@functools.cache
def _cosines(device: torch.device) -> tuple[Float[Tensor, "64 64"], Table]:
    """Return the two-dimensional cosines of an 8x8 block, flattened, and what makes them orthonormal."""
    cosines = _cosine_table()
    scale = torch.tensor([math.sqrt(1 / 8)] + 7 * [1 / 2], dtype=torch.float64)
    return torch.kron(cosines, cosines).float().to(device), torch.kron(scale, scale).float().to(device)


@functools.cache
def _restoring(repeat: int, device: torch.device) -> tuple[Float[Tensor, "px 8"], Float[Tensor, "16 two_px"]]:
    """Return what turns coefficients into pixels, each repeated: of one block's columns, and of two blocks' rows."""
    rows = _cosine_table().repeat_interleave(repeat, 1)
    return rows.T.float().to(device), torch.kron(torch.eye(2), rows).float().to(device)


def _cosine_table() -> Float[Tensor, "8 8"]:
    place = torch.arange(8, dtype=torch.float64)
    return torch.cos((2 * place + 1) * place[:, None] * math.pi / 16)


@functools.cache
def _luma_table(device: torch.device) -> Table:
    # DiffJPEG swaps the table's axes against the standard, and so every training set made with it.
    return constant(_LUMA_TABLE, device).T.flatten()


@functools.cache
def _chroma_table(device: torch.device) -> Table:
    table = torch.full((8, 8), 99.0, device=device)
    table[:4, :4] = constant(_CHROMA_CORNER, device)
    return table.flatten()
