"""Resize batches of images, and the one way in which a degraded image is brought to the size of its result."""

from __future__ import annotations

from typing import Literal, TypeAlias

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from dgsr.checks import expect
from dgsr.types import Images

Mode: TypeAlias = Literal["area", "bilinear", "bicubic"]
ResizeMode: TypeAlias = Mode | Literal["bicubic_antialiased"]
MODES: tuple[Mode, ...] = ("area", "bilinear", "bicubic")
Resized: TypeAlias = Float[Tensor, "b 3 new_h new_w"]


def resize(images: Images, size: tuple[int, int], mode: ResizeMode) -> Resized:
    """Resize to (height, width); only `bicubic_antialiased` averages, and bicubic overshoots are kept.

    >>> import torch
    >>> resize(torch.rand(2, 3, 8, 6), (4, 5), "area").shape
    torch.Size([2, 3, 4, 5])
    """
    expect(min(size) >= 1, "a size of at least one pixel", size, "Use a larger image or a smaller scale.")
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    if mode == "area":
        return functional.interpolate(images, size, mode="area")
    if mode == "bicubic_antialiased":
        return functional.interpolate(images, size, mode="bicubic", align_corners=False, antialias=True)
    return functional.interpolate(images, size, mode=mode, align_corners=False)


def rescale(images: Images, factor: float, mode: Mode) -> Resized:
    """Resize both sides by one factor, rounded down to whole pixels.

    Unlike `resize`, samples stand exactly 1 / factor apart even where the rounding cut a part of a pixel off.
    """
    if factor == 1:
        return images
    align_corners = None if mode == "area" else False
    return functional.interpolate(images, scale_factor=factor, mode=mode, align_corners=align_corners)


def upsample(lq: Images, scale: int) -> Resized:
    """Enlarge `lq` in [0, 1] to `lq_up` by bicubic interpolation, clamped to [0, 1].

    Training and inference share this one function.
    Differs from the paper: the published inference enlarges bilinearly.
    """
    height, width = lq.shape[-2:]
    return resize(lq, (height * scale, width * scale), "bicubic").clamp(0, 1)
