"""What the demo does with pictures is what the library does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dgsr.apps.demo.studio import Settings, Studio
from dgsr.checks import UserError
from dgsr.images import read_image, write_image
from dgsr.inference import Upscaler
from dgsr.models.estimator import DegradationEstimator
from dgsr.rasters import Raster, read_raster, write_raster
from tests import tiny

SETTINGS = Settings(scores=None, scale=2, guidance=1.07, color_fix="wavelet", seed=0, tile="auto")


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    return Upscaler(tiny.generator().eval(), DegradationEstimator.random(0), scale=2)


@pytest.fixture
def studio(upscaler: Upscaler, tmp_path: Path) -> Studio:
    (tmp_path / "shown").mkdir()
    return Studio(upscaler, tmp_path / "shown", max_pixels=100_000)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    write_image(tmp_path / "photo.jpg", torch.rand(3, 30, 40))
    return tmp_path / "photo.jpg"


def test_an_opened_picture_is_shown_with_its_scores(studio: Studio, photo: Path) -> None:
    opened = studio.open(photo)
    assert opened.size == (30, 40)
    assert opened.picture.name == "photo.png"
    assert torch.equal(read_image(opened.picture), read_image(photo))
    with torch.no_grad():
        scores = studio.upscaler.estimator(read_image(photo)[None])[0]
    assert opened.scores == pytest.approx(scores.tolist(), abs=1e-5)


def test_a_picture_is_upscaled_as_by_the_library(studio: Studio, photo: Path) -> None:
    made = studio.upscale(photo, SETTINGS, on_progress=lambda share: None)
    expected = studio.upscaler(read_image(photo))
    torch.testing.assert_close(read_image(made.sr), expected, atol=0.6 / 255, rtol=0)
    assert made.size == (60, 80)
    assert [path.name for path in (made.interpolated, made.sr)] == ["photo_bicubic.png", "photo_sr.png"]
    assert read_raster(made.interpolated).size == (60, 80)


@pytest.mark.parametrize("name", ["scores", "guidance", "color_fix", "scale"])
def test_every_setting_changes_the_result(studio: Studio, photo: Path, name: str) -> None:
    other = Settings(scores=(0.9, 0.1), scale=3, guidance=2.0, color_fix="none", seed=1, tile=0)
    before = read_image(studio.upscale(photo, SETTINGS, lambda share: None).sr)
    changed = replace(SETTINGS, **{name: getattr(other, name)})
    assert not torch.equal(before, read_image(studio.upscale(photo, changed, lambda share: None).sr))


def test_the_precision_is_the_upscalers(studio: Studio, photo: Path) -> None:
    before = read_image(studio.upscale(photo, SETTINGS, lambda share: None).sr)
    half = Upscaler(studio.upscaler.generator, studio.upscaler.estimator, scale=2, precision="bf16")
    made = Studio(half, studio.folder, studio.max_pixels).upscale(photo, SETTINGS, lambda share: None)
    assert not torch.equal(before, read_image(made.sr))


def test_depth_and_transparency_are_kept_and_earlier_pictures_deleted(studio: Studio, tmp_path: Path) -> None:
    write_raster(tmp_path / "deep.png", Raster((torch.rand(4, 20, 20) * 65535).to(torch.uint16)))
    shown = studio.open(tmp_path / "deep.png").picture
    made = studio.upscale(tmp_path / "deep.png", SETTINGS, lambda share: None)
    for path in (made.interpolated, made.sr):
        assert (read_raster(path).samples.shape, read_raster(path).samples.dtype) == ((4, 40, 40), torch.uint16)
    assert not shown.exists()


def test_tiles_report_progress(studio: Studio, tmp_path: Path) -> None:
    write_image(tmp_path / "wide.png", torch.rand(3, 16, 200))
    shares: list[float] = []
    studio.upscale(tmp_path / "wide.png", replace(SETTINGS, tile=256), shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 3
    assert shares[-1] == 1


def test_too_large_pictures_are_refused(upscaler: Upscaler, studio: Studio, photo: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"at most 0\.1 megapixels, but got 400x300 px\. Choose a smaller scale"):
        studio.upscale(photo, replace(SETTINGS, scale=10), lambda share: None)
    write_image(tmp_path / "large.png", torch.zeros(3, 400, 400))
    with pytest.raises(UserError, match=r"safe size, but got large\.png \(400x400 pixels, more than 100000\)"):
        studio.open(tmp_path / "large.png")
    with pytest.raises(UserError, match=r"got photo\.jpg, whose 80x60 px take"):
        Studio(upscaler, tmp_path, 100_000, memory=1).upscale(photo, SETTINGS, lambda share: None)


def test_a_file_that_is_no_picture_is_refused_by_its_own_name(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(UserError, match=r"readable image, but got notes\.png \(cannot identify image file\)\. Repair"):
        studio.open(tmp_path / "notes.png")
