"""Read picture files without loss and write them again."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from secrets import token_hex

import numpy as np
import torch
from jaxtyping import Shaped
from numpy.typing import NDArray
from PIL import Image as PillowImage
from torch import Tensor

from dgsr.checks import NO_ROOM, expect, refuse
from dgsr.rasters.decoding import TooLargeError, decode, opened
from dgsr.rasters.png import write_png
from dgsr.types import Pixels

#: Endings of the files that are taken for pictures, in lower case.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")

#: A limit of pixels for files of one's own, which are safe.
ANY_SIZE = sys.maxsize

_QUALITY = 95  # of jpg and webp

_SPACES = {b"GRAY": (1, 2), b"RGB ": (3, 4)}  # which numbers of channels a profile of some kind describes


@dataclass(frozen=True)
class Raster:
    """A picture, upright.

    Attributes:
        samples: Grey or RGB, then alpha if there is some; 8 or 16 bits each.
        profile: ICC profile, which says what the colours mean.
    """

    samples: Shaped[Tensor, "channels h w"]
    profile: bytes | None = None

    @property
    def pixels(self) -> Pixels:
        """Grey or RGB alone; under transparent parts it is what colour lies beneath."""
        return self.samples[: 3 if len(self.samples) > 2 else 1]

    @property
    def alpha(self) -> Shaped[Tensor, "1 h w"] | None:
        """How opaque each pixel is."""
        return self.samples[-1:] if len(self.samples) in (2, 4) else None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.samples.shape[1], self.samples.shape[2]

    def empty(self, size: tuple[int, int]) -> Raster:
        """Return a picture of this kind and another size, its samples yet to be set."""
        samples = torch.empty(*size, len(self.samples), dtype=self.samples.dtype)
        return Raster(samples.permute(2, 0, 1), self.profile)


def read_raster(source: str | Path | BytesIO, name: str | None = None, max_pixels: int | None = None) -> Raster:
    """Read a picture, upright by its EXIF orientation; palettes, CMYK and the like become RGB.

    Grey and RGB keep 16 bits, with alpha or without; other kinds have 8. Of several pictures in a file, the first
    is read.

    Args:
        source: A path, or the bytes of a file.
        name: What errors call it, if not by its path.
        max_pixels: Larger ones are refused before they are decoded; None is Pillow's limit, some 90 million.

    Raises:
        UserError: The file is missing, damaged, too large to be safe, or not a picture.
    """
    path = name or source
    try:
        samples, profile = decode(source, str(path), max_pixels)
    except TooLargeError as error:
        refuse("an image of a safe size", f"{path} ({error})", "Resize it first.")
    except FileNotFoundError:
        refuse("an image", f"{path}, which does not exist", "Check the path.")
    except Exception as error:  # Pillow's decoders raise a dozen kinds for damaged files
        shown = repr(source if isinstance(source, BytesIO) else str(source))
        reason = " ".join(str(error).replace(shown, "").split()) or type(error).__name__
        refuse("a readable image", f"{path} ({reason})", "Repair or remove it.")
    if samples.shape[2] not in _SPACES.get(profile[16:20] if profile else b"", ()):
        profile = None
    return Raster(torch.from_numpy(samples).permute(2, 0, 1), profile)


def read_size(path: Path) -> tuple[int, int]:
    """Return height and width as a file's head gives them."""
    with opened(path) as file:
        return file.height, file.width


def write_raster(path: str | Path, raster: Raster) -> None:
    """Write a picture; the file appears whole or not at all. PNG keeps 16 bits a channel, the others 8.

    Raises:
        UserError: The path's ending is none of a picture, or of one that cannot be transparent though this one is;
            or the picture cannot be written there, or is too large for its format.
    """
    path = Path(path)
    expect_ending(path, raster)
    pixels = raster.samples.permute(1, 2, 0).numpy()
    temporary = path.with_name(f".{token_hex(8)}{path.suffix}")  # short, as the file's own name may be of full length
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".png":
            write_png(temporary, pixels, raster.profile)
        else:
            _encode(pixels, temporary, raster.profile)
        temporary.replace(path)
    except (OSError, ValueError) as error:  # the latter are Pillow's, of formats with a largest size
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        reason = (isinstance(error, OSError) and error.strerror) or error
        refuse("a place and a format to write an image in", f"{path} ({reason})", "Name another file.")
    finally:
        with suppress(OSError):  # its folder may be a file
            temporary.unlink()


def expect_ending(path: Path, raster: Raster) -> None:
    """Refuse a file that cannot hold a picture of this kind, by its name.

    Raises:
        UserError: The ending is none of a picture, or of one that cannot be transparent though this one is.
    """
    expect(path.suffix.lower() in SUFFIXES, f"an ending among {', '.join(SUFFIXES)}", path.name)
    opaque = raster.alpha is None or path.suffix.lower() not in (".jpg", ".jpeg", ".bmp")
    expect(opaque, "an ending of files that hold transparency", path.name, "Take .png, .webp or .tif.")


def _encode(pixels: NDArray[np.generic], path: Path, profile: bytes | None) -> None:
    if pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    image = PillowImage.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])
    image.save(path, quality=_QUALITY, icc_profile=profile)
