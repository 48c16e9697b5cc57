"""Upscale pictures without changing bit depth, greyscale, transparency and colour profile."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dgsr.images import from_pixels, to_pixels
from dgsr.inference.upscaler import Upscaler, put
from dgsr.ops.resizing import enlarged, upsample_at
from dgsr.rasters import Raster
from dgsr.types import Pixels, Scores

_STRIP = 256  # rows that are resized at a time


def upscale_raster(upscaler: Upscaler, raster: Raster, scores: Scores | None = None) -> Raster:
    """Upscale one picture of any size; its alpha is enlarged by bicubic interpolation.

    Args:
        upscaler: For its colours.
        raster: On any device.
        scores: See `Upscaler`.
    """
    out = _room(upscaler, raster)
    upscaler.fill(out.pixels, raster.pixels, scores)
    return out


def upscale_rasters(upscaler: Upscaler, rasters: Sequence[Raster], scores: Scores | None = None) -> list[Raster]:
    """Upscale pictures of equal size as one batch."""
    colors = torch.stack([from_pixels(raster.pixels).expand(3, -1, -1) for raster in rasters])
    outs = [_room(upscaler, raster) for raster in rasters]
    for out, sr in zip(outs, upscaler(colors.to(upscaler.device), scores), strict=True):
        put(out.pixels, sr)
    return outs


def enlarge_raster(raster: Raster, scale: int | float) -> Raster:
    """Enlarge one picture by bicubic interpolation alone."""
    out = raster.empty(enlarged(raster.size, scale))
    _interpolate(out.samples, raster.samples)
    return out


def _room(upscaler: Upscaler, raster: Raster) -> Raster:
    """Return an empty picture of the output's size, with its alpha enlarged."""
    out = raster.empty(enlarged(raster.size, upscaler.scale))
    if raster.alpha is not None and out.alpha is not None:
        _interpolate(out.alpha, raster.alpha)
    return out


def _interpolate(out: Pixels, pixels: Pixels) -> None:
    size = out.shape[-2], out.shape[-1]
    for top, rows in zip(range(0, size[0], _STRIP), out.split(_STRIP, dim=1), strict=True):
        places = torch.arange(top, top + rows.shape[1]), torch.arange(size[1])
        rows[:] = to_pixels(upsample_at(pixels, size, *places)[0], rows.dtype)
