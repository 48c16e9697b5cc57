"""Resize batches of images, and enlarge degraded images to the size of the output."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from dgsr.checks import expect
from dgsr.images import from_pixels
from dgsr.types import Images, Pixels

Mode: TypeAlias = Literal["area", "bilinear", "bicubic"]
ResizeMode: TypeAlias = Mode | Literal["bicubic_antialiased"]
MODES: tuple[Mode, ...] = ("area", "bilinear", "bicubic")
Resized: TypeAlias = Float[Tensor, "b 3 new_h new_w"]
Places: TypeAlias = Int[Tensor, " _"]


def resize(images: Images, size: tuple[int, int], mode: ResizeMode) -> Resized:
    """Resize to (height, width); only `area` and `bicubic_antialiased` filter, and bicubic results are not clamped.

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
    """Resize both sides by a factor; the size is rounded down to whole pixels.

    Unlike with `resize`, the distance between samples is exactly 1 / factor, even if the size was rounded.
    """
    if factor == 1:
        return images
    align_corners = None if mode == "area" else False
    return functional.interpolate(images, scale_factor=factor, mode=mode, align_corners=align_corners)


def enlarged(size: tuple[int, int], scale: int | float) -> tuple[int, int]:
    """Return the size of an image enlarged by a scale, rounded to whole pixels.

    >>> enlarged((5, 7), 1.5)
    (8, 10)
    """
    return round(size[0] * scale), round(size[1] * scale)


def upsample(lq: Images, scale: int | float) -> Resized:
    """Enlarge `lq` in [0, 1] to `lq_up` by bicubic interpolation, clamped to [0, 1].

    Training and inference both use this function.
    Differs from the paper: the published inference enlarges bilinearly.
    """
    height, width = lq.shape[-2:]
    return resize(lq, enlarged((height, width), scale), "bicubic").clamp(0, 1)


def upsample_at(lq: Pixels, size: tuple[int, int], rows: Places, columns: Places) -> Float[Tensor, "1 c r k"]:
    """Return selected rows and columns of the result of `upsample`, without computing the rest.

    Args:
        lq: Pixels of one image; only the part that is needed is converted to [0, 1].
        size: Size of the whole enlarged image.
        rows: Row indices in the enlarged image, in any order.
        columns: Column indices in the enlarged image, in any order.
    """
    (down, down_weights), (across, across_weights) = (
        _cubic(places, length, new_length)
        for places, length, new_length in zip((rows, columns), lq.shape[-2:], size, strict=True)
    )
    top, left = int(down.min()), int(across.min())
    needed = from_pixels(lq[:, top : int(down.max()) + 1, left : int(across.max()) + 1])[None].to(rows.device)
    needed = _weigh(needed, -2, down - top, down_weights[..., None])
    return _weigh(needed, -1, across - left, across_weights).clamp(0, 1)


def _weigh(images: Tensor, axis: int, taps: Tensor, weights: Tensor) -> Tensor:
    parts = [images.index_select(axis, tap) * weight for tap, weight in zip(taps, weights.to(images), strict=True)]
    return torch.stack(parts).sum(dim=0)


def _cubic(places: Places, length: int, new_length: int) -> tuple[Int[Tensor, "4 _"], Float[Tensor, "4 _"]]:
    """Return the four neighbours of each place and their weights: Keys' kernel with a = -0.75, as in torch."""
    centre = (places.double() + 0.5) * length / new_length - 0.5
    first = centre.floor()
    away = (centre - first - torch.arange(-1, 3, device=places.device)[:, None]).abs()
    near = (1.25 * away - 2.25) * away**2 + 1
    far = -0.75 * (((away - 5) * away + 8) * away - 4)
    neighbours = first.long() + torch.arange(-1, 3, device=places.device)[:, None]
    return neighbours.clamp(0, length - 1), torch.where(away <= 1, near, far)
