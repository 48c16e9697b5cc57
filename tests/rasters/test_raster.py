"""Files are read as Pillow and OpenCV read them, and written without loss."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from dgsr.checks import UserError
from dgsr.rasters import Raster, read_raster, read_size, write_raster

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
DEEP = np.random.default_rng(1).integers(0, 65536, (9, 13, 4), dtype=np.uint16)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixels(path: Path) -> np.ndarray:
    return read_raster(path).samples.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("name", ["a.png", "a.BMP", "a.tif", "a.TIFF", "a.webp"])
def test_lossless_files_come_back_exactly(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name, lossless=True)  # used by WebP only
    assert (pixels(tmp_path / name) == PIXELS).all()


def test_jpeg_gives_the_decoded_pixels(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "a.jpeg")
    expected = np.asarray(Image.open(tmp_path / "a.jpeg"))
    assert (pixels(tmp_path / "a.jpeg") == expected).all()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp"])
def test_the_size_is_read_from_the_header(tmp_path: Path, name: str) -> None:
    Image.fromarray(PIXELS).save(tmp_path / name)
    assert read_size(tmp_path / name) == PIXELS.shape[:2]


@pytest.mark.parametrize("ending", ["png", "jpg", "webp"])
def test_broken_exif_does_not_matter(tmp_path: Path, ending: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"whole.{ending}")
    Image.fromarray(pixels).save(tmp_path / f"broken.{ending}", exif=b"Exif\0\0no TIFF header")
    broken, whole = (read_raster(tmp_path / f"{name}.{ending}") for name in ("broken", "whole"))
    assert torch.equal(broken.samples, whole.samples)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path: Path, orientation: int) -> None:
    stored = {  # stored pixels that become PIXELS once their orientation is undone
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
    assert (pixels(tmp_path / "a.png") == PIXELS).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_modes_are_kept_or_become_rgb(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(PIXELS).convert(mode)
    picture.save(tmp_path / "a.tif")
    kept = picture if mode in ("L", "LA", "RGBA") else picture.convert("L" if mode == "1" else "RGB")
    assert (pixels(tmp_path / "a.tif") == np.asarray(kept).reshape(9, 13, -1)).all()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif", "a.bmp"])
def test_damaged_files_give_one_error_with_their_name(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, format={"jpg": "jpeg", "tif": "tiff"}.get(name[2:], name[2:]))
    intact, path, draws = buffer.getvalue(), tmp_path / name, np.random.default_rng(1)
    errors: list[str] = []
    for attempt in range(40):
        data = bytearray(intact[: int(draws.integers(len(intact)))] if attempt < 20 else intact)
        for place in draws.integers(0, max(len(data), 1), 4) if data else []:
            data[place] = draws.integers(256)
        path.write_bytes(data)
        try:
            read_raster(path)
        except UserError as error:
            errors.append(str(error))
    assert errors
    assert all(name in error and "\n" not in error for error in errors)
    path.write_bytes(intact[: len(intact) // 2])
    with pytest.raises(UserError, match=name):
        read_raster(path)


def test_decompression_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "bomb.png")
    for limit in (80, 20):  # Pillow only warns about the first
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(UserError, match=r"bomb\.png"):
            read_raster(tmp_path / "bomb.png")


def test_a_limit_of_pixels_is_checked_before_decoding(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "png")
    count = PIXELS.shape[0] * PIXELS.shape[1]
    assert read_raster(file, "a.png", max_pixels=count).size == PIXELS.shape[:2]
    header = io.BytesIO(file.getvalue()[:60])  # without pixels
    with pytest.raises(UserError, match=rf"a\.png \(.* pixels, more than {count - 1}\)"):
        read_raster(header, "a.png", max_pixels=count - 1)


def test_only_image_formats_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "postscript.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(UserError, match="cannot identify image file"):
        read_raster(tmp_path / "postscript.png")


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).random((4, 4), dtype=np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match="unknown range"):
        read_raster(tmp_path / "a.tif")


def test_files_that_are_not_images_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("hello")
    Image.fromarray(PIXELS).save(tmp_path / "b.gif")
    for name in ("a.png", "b.gif", "missing.png", "."):
        with pytest.raises(UserError, match=f"Expected .*image, but got .*{name}"):
            read_raster(tmp_path / name)


def test_writing_is_atomic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raster = Raster(torch.zeros(3, 4, 4, dtype=torch.uint8))
    write_raster(tmp_path / "a.png", raster)

    def half(path: Path, *_: object) -> None:
        path.write_bytes(b"half of a file")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dgsr.rasters.raster.write_png", half)
    with pytest.raises(OSError, match="No space left"):
        write_raster(tmp_path / "a.png", raster)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert torch.equal(read_raster(tmp_path / "a.png").samples, raster.samples)


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.xyz"):
        write_raster(tmp_path / "a.xyz", Raster(torch.zeros(3, 4, 4, dtype=torch.uint8)))


def test_write_failures_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    wide = Raster(torch.zeros(3, 1, 20000, dtype=torch.uint8))
    for name in ("file/a.png", "file/deep/a.png", "folder.png", "a.webp", f"{'long' * 70}.png"):
        with pytest.raises(UserError, match=rf"Expected a place .*{name} \("):
            write_raster(tmp_path / name, wide)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.png"]


@pytest.mark.parametrize("ending", [".png", ".jpg"])
def test_names_may_have_the_maximum_length(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"{'n' * (255 - len(ending))}{ending}"
    write_raster(path, Raster(torch.zeros(3, 4, 4, dtype=torch.uint8)))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_read_in_full(tmp_path: Path, name: str, channels: int) -> None:
    stored = DEEP[..., :channels]
    options = [cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_NONE] if name == "a.tif" else []
    for chosen in ([], options):
        cv2.imwrite(str(tmp_path / name), stored[..., [2, 1, 0, 3][:channels] if channels > 1 else [0]], chosen)
        assert (pixels(tmp_path / name) == stored).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(("name", "dtype"), [("a.png", "uint8"), ("a.tif", "uint8"), ("a.png", "uint16")])
def test_written_images_are_read_back_exactly(tmp_path: Path, name: str, dtype: str, channels: int) -> None:
    samples = torch.from_numpy(DEEP[..., :channels].astype(dtype)).permute(2, 0, 1)
    write_raster(tmp_path / name, Raster(samples))
    assert torch.equal(read_raster(tmp_path / name).samples, samples)


def test_pixels_and_alpha_depend_on_the_number_of_channels() -> None:
    kinds = [Raster(torch.arange(count)[:, None, None].to(torch.uint8)) for count in (1, 2, 3, 4)]
    assert [raster.pixels.flatten().tolist() for raster in kinds] == [[0], [0], [0, 1, 2], [0, 1, 2]]
    alphas = [None if raster.alpha is None else raster.alpha.item() for raster in kinds]
    assert alphas == [None, 1, None, 3]
    assert kinds[3].empty((5, 6)).samples.shape == (4, 5, 6)


def test_transparent_palette_colours_become_alpha(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4), dtype=np.uint8)).save(tmp_path / "a.png", transparency=0)
    Image.fromarray(PIXELS).quantize(8).save(tmp_path / "b.png", transparency=1)
    assert read_raster(tmp_path / "a.png").samples.shape == (2, 4, 4)
    assert read_raster(tmp_path / "b.png").samples.shape == (4, 9, 13)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_the_profile_is_kept(tmp_path: Path, name: str) -> None:
    write_raster(tmp_path / name, Raster(torch.from_numpy(PIXELS).permute(2, 0, 1), PROFILE))
    assert read_raster(tmp_path / name).profile == PROFILE


def test_a_profile_of_other_channels_is_dropped(tmp_path: Path) -> None:
    cmyk = PROFILE[:16] + b"CMYK" + PROFILE[20:]
    Image.fromarray(PIXELS).convert("CMYK").save(tmp_path / "a.jpg", icc_profile=cmyk)
    assert read_raster(tmp_path / "a.jpg").profile is None


def test_transparency_is_not_lost_silently(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"format with transparency, but got a\.jpg"):
        write_raster(tmp_path / "a.jpg", Raster(torch.zeros(4, 2, 2, dtype=torch.uint8)))
    write_raster(tmp_path / "a.tif", Raster(torch.full((3, 2, 2), 65535, dtype=torch.uint16)))
    assert read_raster(tmp_path / "a.tif").samples.unique().tolist() == [255]
