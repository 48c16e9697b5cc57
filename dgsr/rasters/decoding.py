"""Decode picture files at their full depth; Pillow reads most of them at 8 bits a channel."""

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

#: Nothing else is decoded, whatever a file is called: some of Pillow's formats start other programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP")

_OTHER_ORDER = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA")
    for order, other in {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}.items()
}
_GREY_STEPS = {"L;2": 85, "L;4": 17}  # by which Pillow multiplies few bits, though not the one transparent grey


class TooLargeError(ValueError):
    """A picture has more pixels than it may have."""


def decode(source: str | Path | BytesIO, name: str, max_pixels: int | None) -> tuple[NDArray[Any], bytes | None]:
    """Return (h, w, channels), upright, and the profile.

    Args:
        source: A path, or the bytes of a file.
        name: What it is called where it holds several pictures, of which the first counts.
        max_pixels: Larger ones are not decoded; None is Pillow's limit.

    Raises:
        TooLargeError: It has more pixels.
        Exception: It is damaged, or no picture; Pillow's decoders raise a dozen kinds.
    """
    limit = PillowImage.MAX_IMAGE_PIXELS if max_pixels is None else max_pixels
    with _quietly(), opened(source) as file:
        if limit is not None and file.width * file.height > limit:
            raise TooLargeError(f"{file.width}x{file.height} pixels, more than {limit}")
        if getattr(file, "is_animated", False) and file.format != "MPO":  # a camera's, with a preview
            _tell_of_more(name)
        return _samples(file, source), file.info.get("icc_profile")


@contextmanager
def opened(source: str | Path | BytesIO) -> Iterator[ImageFile]:
    """Open a picture as Pillow does, but for its limit of pixels, which is one for the whole process."""
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
def _quietly() -> Iterator[None]:
    """Keep Pillow from telling of what it mends in a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache  # training reads a file many times
def _tell_of_more(name: str) -> None:
    _logger.warning("%s holds several pictures, of which the first is read.", name)


def _samples(file: ImageFile, source: str | Path | BytesIO) -> NDArray[Any]:
    # Pillow compares the transparent colour with what it has made of the pixels, and misses it at other depths than 8.
    color = None if file.mode == "P" else file.info.pop("transparency", None)
    args = [tile.args for tile in file.tile]  # before decoding, which forgets them
    low_tiles = [_low_bytes(tile) for tile in file.tile]
    if args == ["LA;16B"]:
        file.tile = [file.tile[0]._replace(args="RGBA")]  # of four bytes, like grey and alpha of two each
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
    deep *= 256  # in place, as these may be the largest pictures there are
    deep += low
    return _keyed(deep, color)


def _upright(file: ImageFile) -> PillowImage.Image:
    """Turn a picture as its camera was held; what cannot be read of that leaves it as it is."""
    file.load()  # first, so that what is wrong with the pixels is said
    try:
        return ImageOps.exif_transpose(file)
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error, OSError):  # Pillow's, of broken EXIF
        return file


def _sixteen_bits(values: NDArray[Any]) -> NDArray[np.uint16]:
    least, most = values.min(), values.max()
    if least < 0 or most > 65535:
        raise ValueError(f"its pixels go from {least} to {most}, beyond the 16 bits from 0 to 65535")
    return values.astype(np.uint16)


def _keyed(samples: NDArray[Any], color: Any, step: int = 1) -> NDArray[Any]:
    """Add the alpha of a picture of which one colour is transparent."""
    if color is None:
        return samples
    opaque = (samples != np.multiply(color, step)).any(axis=2, keepdims=True).astype(samples.dtype)
    return np.concatenate([samples, opaque * np.iinfo(samples.dtype).max], axis=2)


def _plain_mode(image: PillowImage.Image) -> str:
    transparent = "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    return ("L" if image.mode in ("1", "L", "LA", "La") else "RGB") + transparent * "A"


def _low_bytes(tile: Any) -> Any:
    """Describe how to read the lower halves of colours with 16 bits; None for all others.

    Pillow reads their upper halves; taken for numbers of the other byte order, they are the lower ones.
    """
    given = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    other = _OTHER_ORDER.get(given[0])
    return None if other is None else tile._replace(args=(other, *given[1:]) if len(given) > 1 else other)
