"""Test reading and writing of images, and padding against NumPy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dgsr.images import (
    crop_to,
    from_pixels,
    pad_to_multiple,
    read_image,
    reflect_to,
    reflected,
    to_pixels,
    to_signed,
    to_unit,
    write_image,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def pixels(image: torch.Tensor) -> np.ndarray:
    """Convert an image in [0, 1] to 8-bit pixels; fail if it is not exactly representable."""
    scaled = image.permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(scaled, scaled.round(), atol=1e-4)
    return scaled.round().astype(np.uint8)


def test_transparency_is_ignored(tmp_path: Path) -> None:
    alpha = np.zeros((9, 13, 1), dtype=np.uint8)
    alpha[:, 5:] = 255
    Image.fromarray(np.concatenate([PIXELS, alpha], axis=2)).save(tmp_path / "a.png")
    assert (pixels(read_image(tmp_path / "a.png")) == PIXELS).all()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bit_grey_keeps_its_depth(tmp_path: Path, name: str) -> None:
    levels = np.linspace(0, 65535, 9 * 13).astype(np.uint16).reshape(9, 13)
    Image.fromarray(levels).save(tmp_path / name)
    expected = np.broadcast_to(levels / np.float32(65535), (3, 9, 13))
    np.testing.assert_allclose(read_image(tmp_path / name).numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["deep/a.png", "a.tiff", "a.bmp"])
def test_written_images_are_read_back_exactly(tmp_path: Path, name: str) -> None:
    image = torch.from_numpy(PIXELS).permute(2, 0, 1) / 255
    write_image(tmp_path / name, image)
    assert torch.equal(read_image(tmp_path / name), image)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_writing_is_close(tmp_path: Path, name: str) -> None:
    image = torch.linspace(0, 1, 32).expand(3, 32, 32)
    write_image(tmp_path / name, image)
    torch.testing.assert_close(read_image(tmp_path / name), image, atol=0.03, rtol=0)


@pytest.mark.parametrize(("height", "width"), [(5, 8), (1, 3), (64, 65), (2, 2)])
@pytest.mark.parametrize("multiple", [1, 4, 64])
def test_padding_equals_numpy_reflection(height: int, width: int, multiple: int) -> None:
    images = torch.rand(2, 3, height, width)
    padded, size = pad_to_multiple(images, multiple)
    below, right = -height % multiple, -width % multiple
    expected = np.pad(images.numpy(), ((0, 0), (0, 0), (0, below), (0, right)), mode="reflect")
    np.testing.assert_array_equal(padded.numpy(), expected)
    assert torch.equal(crop_to(padded, size), images)


def test_reflect_to_leaves_larger_sides_unchanged() -> None:
    assert reflect_to(torch.rand(1, 3, 6, 2), 4, 5).shape == (1, 3, 6, 5)


def test_range_conversions_are_inverse() -> None:
    images = torch.rand(3, 4, 4)
    assert to_signed(torch.tensor([0.0, 1.0]).expand(3, 1, 2)).unique().tolist() == [-1, 1]
    torch.testing.assert_close(to_unit(to_signed(images)), images)


def test_reflection_is_repeated() -> None:
    expected = np.pad(np.arange(5), (0, 12), mode="reflect")
    assert reflected(torch.arange(17), 5).tolist() == expected.tolist()
    assert reflected(torch.arange(3), 1).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
def test_pixel_conversion_is_lossless(dtype: torch.dtype) -> None:
    levels = torch.arange(torch.iinfo(dtype).max + 1).to(dtype)[None, None]
    image = from_pixels(levels)
    assert (image.min(), image.max()) == (0, 1)
    assert torch.equal(to_pixels(image, dtype), levels)
    assert to_pixels(torch.tensor([-1.0, 2.0]), dtype).tolist() == [0, torch.iinfo(dtype).max]
