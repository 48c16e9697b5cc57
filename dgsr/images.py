"""Files to tensors and back, ranges, and padding."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from dgsr.checks import expect
from dgsr.rasters import Raster, read_raster, write_raster
from dgsr.types import Image, Images, Pixels

#: A batch whose size is not its input's.
Resized: TypeAlias = Float[Tensor, "b 3 new_h new_w"]


def read_image(path: str | Path, max_pixels: int | None = None) -> Image:
    """Read an image as RGB in [0, 1], upright by its EXIF orientation.

    Grey becomes three equal channels; transparent parts show what colour lies beneath; 16 bits keep their precision.

    Raises:
        UserError: As `dgsr.rasters.read_raster`.
    """
    return _rgb(read_raster(path, max_pixels=max_pixels))


def decode_image(encoded: bytes, name: str) -> Image:
    """Do the same with the bytes of such a file; the name is for errors."""
    return _rgb(read_raster(BytesIO(encoded), name))


def _rgb(raster: Raster) -> Image:
    pixels = raster.pixels
    image = torch.empty(3, *raster.size).copy_(pixels)
    return image.div_(torch.iinfo(pixels.dtype).max)  # in place, as large pictures leave no room for copies


def write_image(path: str | Path, image: Image) -> None:
    """Write an image in [0, 1] with 8 bits a channel; the file appears whole or not at all.

    Raises:
        UserError: The path's ending is none of an image.
    """
    write_raster(path, Raster(to_pixels(image.detach().float().cpu(), torch.uint8)))


def from_pixels(pixels: Pixels) -> Float[Tensor, "c h w"]:
    """Return numbers in [0, 1], in single precision, of pixels with 8 or 16 bits."""
    return pixels if pixels.is_floating_point() else pixels.float().div_(torch.iinfo(pixels.dtype).max)


def to_pixels(image: Float[Tensor, "*any"], dtype: torch.dtype) -> Shaped[Tensor, "*any"]:
    """Return the pixels of some type that are closest to an image, which is clamped to [0, 1]."""
    image = image.clamp(0, 1)
    return image.to(dtype) if dtype.is_floating_point else (image * torch.iinfo(dtype).max).round().to(dtype)


def to_signed(images: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Bring [0, 1] to the networks' [-1, 1]."""
    return images * 2 - 1


def to_unit(images: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Bring the networks' [-1, 1] to [0, 1]."""
    return (images + 1) / 2


def pad_to_multiple(images: Images, multiple: int) -> tuple[Resized, tuple[int, int]]:
    """Reflect on the right and at the bottom up to a multiple; also return the size before.

    >>> padded, size = pad_to_multiple(torch.zeros(1, 3, 5, 8), 8)
    >>> padded.shape[-2:], size
    (torch.Size([8, 8]), (5, 8))
    """
    expect(multiple > 0, "a multiple above 0", multiple)
    height, width = images.shape[-2:]
    return reflect_to(images, -(-height // multiple) * multiple, -(-width // multiple) * multiple), (height, width)


def reflect_to(images: Images, height: int, width: int) -> Resized:
    """Reflect on the right and at the bottom, back and forth as often as it takes, up to at least the given size.

    >>> reflect_to(torch.arange(3.0).expand(1, 3, 1, 3), 1, 8)[0, 0, 0].tolist()
    [0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0]
    """
    for axis, wanted in ((-2, height), (-1, width)):
        present = images.shape[axis]
        if wanted > present:
            images = images.index_select(axis, reflected(torch.arange(wanted, device=images.device), present))
    return images


def reflected(places: Int[Tensor, " n"], length: int) -> Int[Tensor, " n"]:
    """Return which pixel of an axis shows at each place, from 0 to beyond its end.

    >>> reflected(torch.arange(6), 3).tolist()
    [0, 1, 2, 1, 0, 1]
    """
    period = max(1, 2 * (length - 1))
    phase = places % period
    return torch.minimum(phase, period - phase)


def crop_to(images: Images, size: tuple[int, int]) -> Resized:
    """Undo `pad_to_multiple`."""
    return images[..., : size[0], : size[1]]
