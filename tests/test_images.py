"""Reading against Pillow's own values, writing, and padding against NumPy."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dgsr.checks import UserError
from dgsr.images import crop_to, pad_to_multiple, read_image, reflect_to, to_signed, to_unit, write_image

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def pixels(image: torch.Tensor) -> np.ndarray:
    """Return the 8-bit pixels that an image in [0, 1] stands for, exactly."""
    scaled = image.permute(1, 2, 0).numpy() * 255
    np.testing.assert_allclose(scaled, scaled.round(), atol=1e-4)
    return scaled.round().astype(np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.BMP", "a.tif", "a.TIFF", "a.webp"])
def test_lossless_files_come_back_exactly(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name, lossless=True)  # which only webp heeds
    image = read_image(tmp_path / name)
    assert image.dtype == torch.float32
    assert (pixels(image) == PIXELS).all()


def test_jpeg_gives_the_decoded_pixels(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.jpeg")
    expected = np.asarray(Image.open(tmp_path / "a.jpeg"))
    assert (pixels(read_image(tmp_path / "a.jpeg")) == expected).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path: Path, orientation: int) -> None:
    stored = {  # what a camera held in each way stores, so that the picture is PIXELS once upright
        1: PIXELS,
        2: PIXELS[:, ::-1],
        3: PIXELS[::-1, ::-1],
        4: PIXELS[::-1],
        5: PIXELS.transpose(1, 0, 2),
        6: np.rot90(PIXELS, 1),
        7: PIXELS[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(PIXELS, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.png", exif=exif)
    assert (pixels(read_image(tmp_path / "a.png")) == PIXELS).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(PIXELS).convert(mode)
    picture.save(tmp_path / "a.tif")
    assert (pixels(read_image(tmp_path / "a.tif")) == np.asarray(picture.convert("RGB"))).all()


def test_transparent_parts_show_their_colour(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp"])
def test_mutilated_files_give_one_error_that_names_them(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, format={"jpg": "jpeg", "tif": "tiff"}.get(name[2:], name[2:]))
    sound, path, draws = buffer.getvalue(), tmp_path / name, np.random.default_rng(1)
    complaints: list[str] = []
    for attempt in range(40):
        data = bytearray(sound[: int(draws.integers(len(sound)))] if attempt < 20 else sound)
        for place in draws.integers(0, max(len(data), 1), 4) if data else []:
            data[place] = draws.integers(256)
        path.write_bytes(data)
        try:
            read_image(path)
        except UserError as error:
            complaints.append(str(error))
    assert complaints
    assert all(name in complaint and "\n" not in complaint for complaint in complaints)
    path.write_bytes(sound[: len(sound) // 2])
    with pytest.raises(UserError, match=name):
        read_image(path)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "bomb.png")
    for limit in (80, 20):  # Pillow only warns of the first
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(UserError, match=r"bomb\.png"):
            read_image(tmp_path / "bomb.png")


def test_only_image_formats_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "postscript.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(UserError, match="cannot identify image file"):
        read_image(tmp_path / "postscript.png")


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).random((4, 4), dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match="unknown range"):
        read_image(tmp_path / "a.tif")


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    Image.fromarray(PIXELS).save(tmp_path / "b.gif")
    for name in ("a.png", "b.gif", "missing.png", "."):
        with pytest.raises(UserError, match=f"Expected .*image, but got .*{name}"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["deep/a.png", "a.tiff", "a.bmp"])
def test_written_images_come_back(tmp_path: Path, name: str) -> None:
    image = torch.from_numpy(PIXELS).permute(2, 0, 1) / 255
    write_image(tmp_path / name, image)
    assert torch.equal(read_image(tmp_path / name), image)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_lossy_writing_is_close(tmp_path: Path, name: str) -> None:
    image = torch.linspace(0, 1, 32).expand(3, 32, 32)
    write_image(tmp_path / name, image)
    torch.testing.assert_close(read_image(tmp_path / name), image, atol=0.03, rtol=0)


def test_writing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = torch.zeros(3, 4, 4)
    write_image(tmp_path / "a.png", image)

    def half(_: Image.Image, path: Path, **__: object) -> None:
        path.write_bytes(b"half of a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OSError, match="No space left"):
        write_image(tmp_path / "a.png", image + 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert torch.equal(read_image(tmp_path / "a.png"), image)


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.xyz"):
        write_image(tmp_path / "a.xyz", torch.zeros(3, 4, 4))


@pytest.mark.parametrize(("height", "width"), [(5, 8), (1, 3), (64, 65), (2, 2)])
@pytest.mark.parametrize("multiple", [1, 4, 64])
def test_padding_is_numpys_reflection(height: int, width: int, multiple: int) -> None:
    images = torch.rand(2, 3, height, width)
    padded, size = pad_to_multiple(images, multiple)
    below, right = -height % multiple, -width % multiple
    expected = np.pad(images.numpy(), ((0, 0), (0, 0), (0, below), (0, right)), mode="reflect")
    np.testing.assert_array_equal(padded.numpy(), expected)
    assert torch.equal(crop_to(padded, size), images)


def test_padding_takes_no_more_than_asked() -> None:
    assert reflect_to(torch.rand(1, 3, 6, 2), 4, 5).shape == (1, 3, 6, 5)


def test_ranges_are_inverse() -> None:
    images = torch.rand(3, 4, 4)
    assert to_signed(torch.tensor([0.0, 1.0]).expand(3, 1, 2)).unique().tolist() == [-1, 1]
    torch.testing.assert_close(to_unit(to_signed(images)), images)
