"""Decode image files at their full bit depth; Pillow alone reads most of them at 8 bits per channel."""

from __future__ import annotations

import logging
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps
from PIL.ImageFile import ImageFile

_logger = logging.getLogger(__name__)

#: The only formats that are decoded, whatever the extension; some of Pillow's other formats start programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")

_SWAPPED_ORDER = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA")
    for order, other in {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}.items()
}
_GREY_STEPS = {"L;2": 85, "L;4": 17}  # Pillow multiplies pixels of few bits, but not their transparent colour


class TooLargeError(ValueError):
    """An image has more pixels than allowed."""


def decode(source: str | Path | BytesIO, name: str, max_pixels: int | None) -> tuple[NDArray[Any], bytes | None]:
    """Return upright pixels of shape (h, w, channels) and the colour profile.

    Args:
        source: A path, or the bytes of a file.
        name: Name of the file in warnings.
        max_pixels: Larger images are refused before decoding; None means Pillow's limit.

    Raises:
        TooLargeError: The image has more pixels.
        Exception: The file is damaged or not an image; Pillow's decoders raise many kinds.
    """
    limit = PillowImage.MAX_IMAGE_PIXELS if max_pixels is None else max_pixels
    with _without_warnings(), opened(source) as file:
        if limit is not None and file.width * file.height > limit:
            raise TooLargeError(f"{file.width}x{file.height} pixels, more than {limit}")
        if getattr(file, "is_animated", False) and file.format != "MPO":  # a photograph with previews
            _warn_of_several(name)
        return _samples(file, source), file.info.get("icc_profile")


@contextmanager
def opened(source: str | Path | BytesIO) -> Iterator[ImageFile]:
    """Open an image with Pillow but without its limit of pixels, which is global to the process."""
    with nullcontext(source) if isinstance(source, BytesIO) else Path(source).open("rb") as stream:
        stream.seek(0)
        head = stream.read(16)
        for name in _FORMATS:
            if name not in PillowImage.OPEN:
                PillowImage.init()
            factory, accept = PillowImage.OPEN[name]
            if accept is not None and accept(head) is True:
                stream.seek(0)
                with factory(stream, "" if isinstance(source, BytesIO) else str(source)) as file:
                    yield file
                return
        raise PillowImage.UnidentifiedImageError("cannot identify image file")


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Suppress Pillow's warnings about problems that it corrects itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache  # warn once, as training reads a file many times
def _warn_of_several(name: str) -> None:
    _logger.warning("%s contains several images. Only the first is read.", name)


def _samples(file: ImageFile, source: str | Path | BytesIO) -> NDArray[Any]:
    # Pillow compares the transparent colour with converted pixels, which is wrong for depths other than 8 bits.
    color = None if file.mode == "P" else file.info.pop("transparency", None)
    args = [tile.args for tile in file.tile]  # decoding clears them
    low_tiles = [_low_bytes(tile) for tile in file.tile]
    if args == ["LA;16B"]:
        file.tile = [file.tile[0]._replace(args="RGBA")]  # four bytes per pixel, like 16-bit grey with alpha
        return np.array(_upright(file)).view(">u2").astype(np.uint16)
    image = _upright(file)
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if image.mode.startswith("I"):
        return _keyed(_sixteen_bits(np.asarray(image))[..., None], color)
    mode = _plain_mode(image)
    high = np.array(image.convert(mode))
    if None in low_tiles or not low_tiles:
        step = _GREY_STEPS.get(args[0], 1) if args and isinstance(args[0], str) else 1
        return _keyed(high.reshape(*high.shape[:2], -1), color, step)
    with opened(source) as file:
        file.tile = low_tiles
        low = np.asarray(_upright(file).convert(mode))
    deep = high.astype(np.uint16)
    deep *= 256  # in place to save memory
    deep += low
    return _keyed(deep, color)


def _upright(file: ImageFile) -> PillowImage.Image:
    """Apply the EXIF orientation; ignore one that cannot be read."""
    file.load()  # first, so that errors are about the pixels
    try:
        return ImageOps.exif_transpose(file)
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error, OSError):  # raised by Pillow for broken EXIF
        return file


def _sixteen_bits(values: NDArray[Any]) -> NDArray[np.uint16]:
    least, most = values.min(), values.max()
    if least < 0 or most > 65535:
        raise ValueError(f"its pixels range from {least} to {most}, outside 0 to 65535")
    return values.astype(np.uint16)


def _keyed(samples: NDArray[Any], color: Any, step: int = 1) -> NDArray[Any]:
    """Add an alpha channel to an image with one transparent colour."""
    if color is None:
        return samples
    opaque = (samples != np.multiply(color, step)).any(axis=2, keepdims=True).astype(samples.dtype)
    return np.concatenate([samples, opaque * np.iinfo(samples.dtype).max], axis=2)


def _plain_mode(image: PillowImage.Image) -> str:
    transparent = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    return ("L" if image.mode in ("1", "L", "LA", "La") else "RGB") + transparent * "A"


def _low_bytes(tile: Any) -> Any:
    """Return a tile that decodes the lower bytes of 16-bit colours, or None for other tiles.

    Pillow keeps the upper bytes. With the opposite byte order, these are the lower bytes.
    """
    mode, *others = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    swapped = _SWAPPED_ORDER.get(mode)
    return None if swapped is None else tile._replace(args=(swapped, *others) if others else swapped)
