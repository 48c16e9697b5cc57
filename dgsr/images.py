"""Read and write images as tensors, convert value ranges, and pad."""

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

#: A batch of images of another size than the input.
Resized: TypeAlias = Float[Tensor, "b 3 new_h new_w"]


def read_image(path: str | Path, max_pixels: int | None = None) -> Image:
    """Read an image as RGB in [0, 1], upright by its EXIF orientation.

    Grey images become three equal channels, transparency is ignored, and 16-bit images keep their precision.

    Raises:
        UserError: The file cannot be read; see `dgsr.rasters.read_raster`.
    """
    return _rgb(read_raster(path, max_pixels=max_pixels))


def decode_image(encoded: bytes, name: str) -> Image:
    """Decode the bytes of an image file like `read_image`; the name is used in error messages."""
    return _rgb(read_raster(BytesIO(encoded), name))


def _rgb(raster: Raster) -> Image:
    pixels = raster.pixels
    image = torch.empty(3, *raster.size).copy_(pixels)
    return image.div_(torch.iinfo(pixels.dtype).max)  # in place, because a copy of a large image may not fit


def write_image(path: str | Path, image: Image) -> None:
    """Write an image in [0, 1] with 8 bits per channel, atomically.

    Raises:
        UserError: The path has no suffix of an image format.
    """
    write_raster(path, Raster(to_pixels(image.detach().float().cpu(), torch.uint8)))


def from_pixels(pixels: Pixels) -> Float[Tensor, "c h w"]:
    """Convert pixels of 8 or 16 bits to float32 in [0, 1]; floating-point pixels are returned unchanged."""
    return pixels if pixels.is_floating_point() else pixels.float().div_(torch.iinfo(pixels.dtype).max)


def to_pixels(image: Float[Tensor, "*any"], dtype: torch.dtype) -> Shaped[Tensor, "*any"]:
    """Clamp an image to [0, 1] and convert it to pixels of a type, rounded to the nearest value."""
    image = image.clamp(0, 1)
    return image.to(dtype) if dtype.is_floating_point else (image * torch.iinfo(dtype).max).round().to(dtype)


def to_signed(images: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Convert [0, 1] to [-1, 1], the range of the networks."""
    return images * 2 - 1


def to_unit(images: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Convert [-1, 1], the range of the networks, to [0, 1]."""
    return (images + 1) / 2


def pad_to_multiple(images: Images, multiple: int) -> tuple[Resized, tuple[int, int]]:
    """Pad by reflection on the right and at the bottom to a multiple; also return the original size.

    >>> padded, size = pad_to_multiple(torch.zeros(1, 3, 5, 8), 8)
    >>> padded.shape[-2:], size
    (torch.Size([8, 8]), (5, 8))
    """
    expect(multiple > 0, "a multiple above 0", multiple)
    height, width = images.shape[-2:]
    return reflect_to(images, -(-height // multiple) * multiple, -(-width // multiple) * multiple), (height, width)


def reflect_to(images: Images, height: int, width: int) -> Resized:
    """Pad by repeated reflection on the right and at the bottom, to at least the given size.

    >>> reflect_to(torch.arange(3.0).expand(1, 3, 1, 3), 1, 8)[0, 0, 0].tolist()
    [0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 2.0, 1.0]
    """
    for axis, length in ((-2, height), (-1, width)):
        side = images.shape[axis]
        if length > side:
            images = images.index_select(axis, reflected(torch.arange(length, device=images.device), side))
    return images


def reflected(places: Int[Tensor, " n"], length: int) -> Int[Tensor, " n"]:
    """Return the index of the pixel at each place of an axis that is continued by reflection beyond its length.

    >>> reflected(torch.arange(6), 3).tolist()
    [0, 1, 2, 1, 0, 1]
    """
    period = max(1, 2 * (length - 1))
    phase = places % period
    return torch.minimum(phase, period - phase)


def crop_to(images: Images, size: tuple[int, int]) -> Resized:
    """Crop to (height, width) from the top left, to undo `pad_to_multiple`."""
    return images[..., : size[0], : size[1]]
