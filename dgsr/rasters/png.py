"""Write PNG files row by row with little memory; Pillow copies the image and supports 16 bits only for grey."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by number of channels
_ROWS = 256  # number of rows compressed at a time


def write_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16], profile: bytes | None = None) -> None:
    """Write grey, grey with alpha, RGB or RGBA, with 8 or 16 bits per channel.

    Args:
        path: Path of the file.
        pixels: Array of shape (h, w, channels).
        profile: ICC profile to embed.

    Source: Portable Network Graphics, third edition, Sec. 5, 9 and 11.
    """
    height, width, channels = pixels.shape
    size = pixels.dtype.itemsize
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * size, _COLOR_TYPES[channels], 0, 0, 0))
        if profile is not None:
            _chunk(file, b"iCCP", b"ICC\0\0" + zlib.compress(profile))
        compressor = zlib.compressobj(6)
        above = np.zeros((1, width * channels * size), dtype=np.uint8)
        for top in range(0, height, _ROWS):
            big_endian = np.ascontiguousarray(pixels[top : top + _ROWS], dtype=f">u{size}")
            lines = big_endian.reshape(len(big_endian), -1).view(np.uint8)
            differences = lines - np.concatenate([above, lines[:-1]])  # modulo 256, the filter "Up"
            marked = np.insert(differences, 0, 2, axis=1)
            _chunk(file, b"IDAT", compressor.compress(marked.tobytes()))
            above = lines[-1:]
        _chunk(file, b"IDAT", compressor.flush())
        _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))
