"""Compress images as baseline JPEG does, up to the entropy coding, which loses nothing."""

from __future__ import annotations

import functools
import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as nn

from dgsr.types import Images

Blocks = Float[Tensor, "b n 64"]

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
    """Compress and decompress images in [0, 1] at a quality in [1, 100]; chroma keeps every pixel or every second.

    The quantisation tables are scaled but not rounded, as in DiffJPEG; borders are filled up with black.
    """
    height, width = images.shape[-2:]
    padded = nn.pad(images, (0, -width % 16, 0, -height % 16)) * 255
    ycbcr = torch.einsum("dc,bchw->bdhw", images.new_tensor(_TO_YCBCR), padded)
    factor = _step_factor(quality)
    luma = _quantise(ycbcr[:, :1].sub_(128), factor * _luma_table(images.device))
    chroma = _quantise(
        ycbcr[:, 1:] if chroma_step == 1 else _halve(ycbcr[:, 1:]), factor * _chroma_table(images.device)
    )
    colour = torch.einsum("dc,bchw->bdhw", images.new_tensor(_TO_RGB), chroma).add_(128 / 255)
    rows = colour.repeat_interleave(chroma_step, dim=-1)
    rgb = (luma.unflatten(2, (-1, chroma_step)) + rows.unsqueeze(3)).clamp_(0, 1).flatten(2, 3)
    return rgb[..., :height, :width]


def _halve(planes: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c half_h half_w"]:
    top, bottom = planes[..., 0::2, :], planes[..., 1::2, :]
    return (top[..., 0::2] + top[..., 1::2] + bottom[..., 0::2] + bottom[..., 1::2]) / 4


def _step_factor(quality: float) -> float:
    """Return the factor of the quantisation tables, after the convention of libjpeg."""
    return max(50 / quality if quality < 50 else 2 - quality / 50, _FINEST)


def _quantise(planes: Float[Tensor, "b c h w"], steps: Float[Tensor, " 64"]) -> Float[Tensor, "b c h w"]:
    """Round the cosine coefficients of all 8x8 blocks to multiples of their steps, and divide by 255."""
    batch, channels, height, width = planes.shape
    blocks = planes.reshape(batch, channels, height // 8, 8, width // 8, 8).transpose(3, 4).reshape(-1, 64)
    cosines, scale = _cosines(planes.device)
    # Scaled and divided one after the other: folding both into the matrix turns more rounding ties the other way.
    levels = (blocks @ cosines.T).mul_(scale).div_(steps).round_()
    blocks = levels @ (cosines * (scale * steps / 255)[:, None])
    return blocks.reshape(batch, channels, height // 8, width // 8, 8, 8).transpose(3, 4).reshape(planes.shape)


@functools.cache
def _cosines(device: torch.device) -> tuple[Float[Tensor, "64 64"], Float[Tensor, " 64"]]:
    """Return the two-dimensional cosines of an 8x8 block, flattened, and what makes them orthonormal."""
    place = torch.arange(8, dtype=torch.float64)
    cosines = torch.cos((2 * place + 1) * place[:, None] * math.pi / 16)
    scale = torch.tensor([math.sqrt(1 / 8)] + 7 * [1 / 2], dtype=torch.float64)
    return torch.kron(cosines, cosines).float().to(device), torch.kron(scale, scale).float().to(device)


@functools.cache
def _luma_table(device: torch.device) -> Float[Tensor, " 64"]:
    # DiffJPEG swaps the table's axes against the standard, and so every training set made with it.
    return torch.tensor(_LUMA_TABLE, dtype=torch.float32, device=device).T.flatten()


@functools.cache
def _chroma_table(device: torch.device) -> Float[Tensor, " 64"]:
    table = torch.full((8, 8), 99.0, device=device)
    table[:4, :4] = torch.tensor(_CHROMA_CORNER)
    return table.flatten()
