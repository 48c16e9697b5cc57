"""Read image files without loss, and write them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Shaped
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import Tensor

from dgsr import files
from dgsr.checks import NO_ROOM, expect, refuse
from dgsr.rasters.decoding import TooLargeError, decode, opened
from dgsr.rasters.png import write_png
from dgsr.types import Pixels

#: File extensions of images, in lower case.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")

#: A limit of pixels for trusted files.
ANY_SIZE = sys.maxsize

_QUALITY = 95  # of JPEG and WebP

_SPACES = {b"GRAY": (1, 2), b"RGB ": (3, 4)}  # valid numbers of channels by the colour space of a profile


@dataclass(frozen=True)
class Raster:
    """An upright image.

    Attributes:
        samples: Grey or RGB, then optional alpha; 8 or 16 bits per channel.
        profile: ICC colour profile.
    """

    samples: Shaped[Tensor, "channels h w"]
    profile: bytes | None = None

    @property
    def pixels(self) -> Pixels:
        """Grey or RGB without alpha, also where the image is transparent."""
        return self.samples[: 3 if len(self.samples) > 2 else 1]

    @property
    def alpha(self) -> Shaped[Tensor, "1 h w"] | None:
        """The opacity of each pixel, or None if the image has no alpha."""
        return self.samples[-1:] if len(self.samples) in (2, 4) else None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.samples.shape[1], self.samples.shape[2]

    def empty(self, size: tuple[int, int]) -> Raster:
        """Return an image of the same kind with another size and uninitialised samples."""
        samples = torch.empty(*size, len(self.samples), dtype=self.samples.dtype)
        return Raster(samples.permute(2, 0, 1), self.profile)


def read_raster(source: str | Path | BytesIO, name: str | None = None, max_pixels: int | None = None) -> Raster:
    """Read an image and apply its EXIF orientation; palettes, CMYK and other modes are converted to RGB.

    Grey and RGB keep 16 bits, with or without alpha; other modes have 8. If a file contains several images, the first
    is read.

    Args:
        source: A path, or the bytes of a file.
        name: Name in errors; default: the path.
        max_pixels: Larger images are refused before decoding; None means Pillow's limit of 89 million pixels.

    Raises:
        UserError: The file is missing, damaged, too large to be safe, or not an image.
    """
    path = name or source
    try:
        samples, profile = decode(source, str(path), max_pixels)
    except TooLargeError as error:
        refuse("an image of a safe size", f"{path} ({error})", "Resize it first.")
    except FileNotFoundError:
        refuse("an image", f"{path}, which does not exist", "Check the path.")
    except Exception as error:  # Pillow's decoders raise many kinds for damaged files
        shown = repr(source if isinstance(source, BytesIO) else str(source))
        reason = " ".join(str(error).replace(shown, "").split()) or type(error).__name__
        refuse("a readable image", f"{path} ({reason})", "Repair or remove it.")
    if samples.shape[2] not in _SPACES.get(profile[16:20] if profile else b"", ()):
        profile = None
    return Raster(torch.from_numpy(samples).permute(2, 0, 1), profile)


def read_size(path: Path) -> tuple[int, int]:
    """Return height and width from the header of a file."""
    with opened(path) as file:
        return file.height, file.width


def write_raster(path: str | Path, raster: Raster) -> None:
    """Write an image atomically. PNG keeps 16 bits per channel, other formats 8.

    Raises:
        UserError: The extension does not fit, see `expect_ending`, the file cannot be written, or the image is too
            large for the format.
    """
    path = Path(path)
    expect_ending(path, raster)
    pixels = raster.samples.permute(1, 2, 0).numpy()
    try:
        with files.atomic(path) as temporary:
            if path.suffix.lower() == ".png":
                write_png(temporary, pixels, raster.profile)
            else:
                _encode(pixels, temporary, PillowImage.registered_extensions()[path.suffix.lower()], raster.profile)
    except (OSError, ValueError) as error:  # Pillow raises ValueError if an image is too large for the format
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        reason = (isinstance(error, OSError) and error.strerror) or error
        refuse("a place and a format to write an image in", f"{path} ({reason})", "Name another file.")


def expect_ending(path: Path, raster: Raster) -> None:
    """Refuse a path whose format cannot store this image.

    Raises:
        UserError: The extension is not that of an image, or the format has no alpha but the image does.
    """
    expect(path.suffix.lower() in SUFFIXES, f"an ending among {', '.join(SUFFIXES)}", path.name)
    opaque = raster.alpha is None or path.suffix.lower() not in (".jpg", ".jpeg", ".bmp")
    expect(opaque, "an extension of a format with transparency", path.name, "Use .png, .webp or .tif.")


def _encode(pixels: NDArray[np.generic], path: Path, kind: str, profile: bytes | None) -> None:
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    image = PillowImage.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])
    image.save(path, kind, quality=_QUALITY, icc_profile=profile)
