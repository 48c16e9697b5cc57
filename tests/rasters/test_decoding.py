"""Depths and transparency that Pillow alone does not read in full are decoded exactly."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from dgsr.checks import UserError
from dgsr.rasters import ANY_SIZE, read_raster, write_png
from dgsr.rasters.decoding import TooLargeError, decode, opened

DEEP = np.random.default_rng(0).integers(0, 65536, (5, 7, 3), dtype=np.uint16)


def samples(path: Path) -> NDArray[np.generic]:
    return read_raster(path).samples.permute(1, 2, 0).numpy()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_chunk(path: Path, kind: bytes, data: bytes) -> None:
    """Insert a chunk after the header of a PNG file."""
    content = path.read_bytes()
    path.write_bytes(content[:33] + _chunk(kind, data) + content[33:])


@pytest.mark.parametrize("channels", [1, 3])
def test_one_transparent_colour_of_sixteen_bits(tmp_path: Path, channels: int) -> None:
    stored = DEEP[..., :channels].copy()
    stored[2, 3] = stored[0, 0]
    stored[4, 4] = stored[0, 0] ^ 1  # differs in the lower byte only
    write_png(tmp_path / "a.png", stored)
    _with_chunk(tmp_path / "a.png", b"tRNS", stored[0, 0].astype(">u2").tobytes())
    alpha = np.full((5, 7, 1), 65535, dtype=np.uint16)
    alpha[2, 3] = alpha[0, 0] = 0
    assert (samples(tmp_path / "a.png") == np.concatenate([stored, alpha], axis=2)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_one_transparent_colour_of_eight_bits(tmp_path: Path, channels: int) -> None:
    stored = DEEP[..., :channels].astype(np.uint8)
    write_png(tmp_path / "a.png", stored)
    _with_chunk(tmp_path / "a.png", b"tRNS", stored[1, 2].astype(">u2").tobytes())
    alpha = np.where((stored == stored[1, 2]).all(axis=2, keepdims=True), 0, 255)
    assert (samples(tmp_path / "a.png") == np.concatenate([stored, alpha], axis=2)).all()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_one_transparent_grey_of_few_bits(tmp_path: Path, bits: int) -> None:
    greys = np.arange(8, dtype=np.uint8)[None] % 2**bits
    packed = np.packbits((greys[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint8) & 1).reshape(-1))
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0)) + _chunk(b"tRNS", struct.pack(">H", 1))
    body = _chunk(b"IDAT", zlib.compress(b"\0" + packed.tobytes())) + _chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + body)
    expected = np.stack([greys * (255 // (2**bits - 1)), np.where(greys == 1, 0, 255)], axis=2)
    assert (samples(tmp_path / "a.png") == expected).all()


def test_integers_beyond_sixteen_bits_are_refused(tmp_path: Path) -> None:
    for values in ([0, 65536], [-1, 5]):
        Image.fromarray(np.array([values], dtype=np.int32)).save(tmp_path / "a.tif")
        with pytest.raises(UserError, match=rf"range from {values[0]} to {values[1]}, outside 0 to 65535"):
            read_raster(tmp_path / "a.tif")
    Image.fromarray(np.array([[0, 65535]], dtype=np.int32)).save(tmp_path / "a.tif")
    assert samples(tmp_path / "a.tif").flatten().tolist() == [0, 65535]


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_the_first_of_several_images_is_read_with_one_warning(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, *others = (Image.fromarray(np.full((4, 6, 3), shade, dtype=np.uint8)) for shade in (10, 90, 200))
    first.save(tmp_path / name, save_all=True, append_images=others, lossless=True)
    for _ in range(2):
        assert (samples(tmp_path / name) == 10).all()
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / name} contains several images. Only the first is read."
    ]
    first.save(tmp_path / f"one_{name}")
    read_raster(tmp_path / f"one_{name}")
    assert len(caplog.records) == 1


def test_trusted_files_may_have_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_png(tmp_path / "a.png", DEEP)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # Pillow itself refuses twice as many
    with pytest.raises(TooLargeError, match="7x5 pixels, more than 10"):
        decode(tmp_path / "a.png", "a.png", None)
    decoded, _ = decode(tmp_path / "a.png", "a.png", ANY_SIZE)
    assert (decoded == DEEP).all()
    with opened(tmp_path / "a.png") as file:
        assert file.size == (7, 5)


def test_bytes_are_decoded_like_files(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", DEEP)
    content = io.BytesIO((tmp_path / "a.png").read_bytes())
    assert torch.equal(read_raster(content, "a").samples, read_raster(tmp_path / "a.png").samples)
