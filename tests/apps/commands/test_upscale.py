"""`dgsr upscale`: one image, a folder, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from rich.progress import Progress

from dgsr.apps.cli import main
from dgsr.checkpoints import load_pretrained, save_pretrained
from dgsr.images import read_image, write_image
from dgsr.inference import Upscaler
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator
from dgsr.rasters import Raster, read_raster, write_raster


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_pretrained(
        OneStepGenerator.tiny(trainable="all", posterior="sample"),
        folder,
        estimator=DegradationEstimator.random(0),
        guidance=1.2,
    )
    return folder


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    write_image(tmp_path / "photo.png", torch.rand(3, 15, 18))
    return tmp_path / "photo.png"


def _run(*arguments: object) -> None:
    main(["upscale", *map(str, arguments)])


def _refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as stop:
        _run(*arguments)
    assert stop.value.code == 1
    return capsys.readouterr().err


def test_one_image_as_the_library_upscales_it(model: Path, photo: Path) -> None:
    _run(photo, "--model", model, "--device", "cpu")
    networks = load_pretrained(model), DegradationEstimator.random(0)
    expected = Upscaler(*networks, guidance=1.2)(read_image(photo))
    torch.testing.assert_close(read_image(photo.with_name("photo_sr.png")), expected, atol=0.6 / 255, rtol=0)


def test_every_setting_reaches_the_upscaler(model: Path, photo: Path, tmp_path: Path) -> None:
    changes = [("--scale", 2), ("--guidance", 3), ("--color-fix", "none"), ("--seed", 1), ("--precision", "bf16")]
    results = [tmp_path / f"{name}.png" for name in ("first", "second", *(change[0] for change in changes))]
    for target, change in zip(results, [(), (), *changes], strict=True):
        _run(photo, target, "--model", model, *change)
    first, second, *others = (target.read_bytes() for target in results)
    assert first == second
    assert first not in others
    assert read_image(tmp_path / "--scale.png").shape == (3, 30, 36)


def test_broken_files_in_a_folder_are_skipped_and_reported(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photos"
    for name in ("a.png", "a.jpg", "a.png.jpg", "deep/b.png", "deep/large.png"):
        write_image(folder / name, torch.rand(3, 64 if "large" in name else 8, 8))
    (folder / "broken.png").write_bytes(b"no image")
    words = _refusal(capsys, folder, "--model", model, "--memory", 0.255)
    results = sorted(tmp_path.glob("photos_sr/**/*.png"))
    names = {path.relative_to(tmp_path).as_posix() for path in results}
    assert names == {f"photos_sr/{name}.png" for name in ("a.png", "a.jpg", "a.png.jpg", "deep/b")}
    assert "broken.png" in words
    assert "large.png, whose 32x256 px take about" in words
    assert words.endswith("2 of 6 images could not be upscaled.\n")
    first = [path.stat().st_mtime_ns for path in results]
    (folder / "broken.png").unlink()
    _run(folder, "--model", model)
    words = capsys.readouterr().err
    assert "4 of 5 images are there already" in words
    assert words.endswith(f"Wrote 1 image to {folder.with_name('photos_sr')}.\n")
    assert [path.stat().st_mtime_ns for path in results] == first
    _run(folder, "--model", model, "--overwrite")
    assert all(path.stat().st_mtime_ns > before for path, before in zip(results, first, strict=True))


def test_tiles_depth_and_transparency(model: Path, tmp_path: Path) -> None:
    write_raster(tmp_path / "a.png", Raster((torch.rand(4, 30, 80) * 65535).to(torch.uint16)))
    for tile in (0, 256):
        _run(tmp_path / "a.png", tmp_path / f"{tile}.png", "--model", model, "--tile", tile, "--scale", 3.5)
    whole, tiled = (read_raster(tmp_path / f"{tile}.png").samples for tile in (0, 256))
    assert whole.shape == (4, 105, 280)
    assert whole.dtype == torch.uint16
    assert not torch.equal(whole[:3], tiled[:3])
    assert (whole[3].int() - tiled[3].int()).abs().max() <= 1


def test_mistakes_are_refused(model: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "does not exist" in _refusal(capsys, tmp_path / "missing.png", "--model", model)
    assert "--memory" in _refusal(capsys, photo, "--model", model, "--memory", 0.01)
    assert "outside" in _refusal(capsys, tmp_path, tmp_path / "out", "--model", model)
    assert "name of an image" in _refusal(capsys, photo, tmp_path, "--model", model)
    assert "ending among" in _refusal(capsys, photo, tmp_path / "a.gif")  # before any model is looked for
    assert "does not exist" in _refusal(capsys, tmp_path / "missing.png")
    assert "which is a file" in _refusal(capsys, tmp_path, photo)
    assert "another file" in _refusal(capsys, photo, photo, "--model", model, "--overwrite")
    assert "authors' file" in _refusal(capsys, photo, "--model", photo.with_name("nothing"))
    with pytest.raises(SystemExit):
        _run(photo, "--tile", "large")
    assert "auto, 0, or a number of px, but got large" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--scale", 0.5, "--scale of 1 to 8, but got 0.5"),
        ("--scale", "nan", "--scale of 1 to 8"),
        ("--guidance", "nan", "a finite --guidance"),
        ("--tile", 100, "--tile of auto, 0, or a multiple of 64 from 192 on, but got 100"),
        ("--tile", 128, "from 192 on"),
        ("--blur", 1.01, "--blur of 0 to 1, but got 1.01"),
        ("--noise", "nan", "--noise of 0 to 1"),
        ("--batch", 0, "--batch of 1 or more"),
        ("--memory", 0, "--memory above 0"),
    ],
)
def test_numbers_are_checked_before_the_model_is_loaded(
    photo: Path, option: str, value: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in _refusal(capsys, photo, "--model", "nothing", option, value)


def test_the_scores_of_one_image_are_printed(
    model: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blur, noise = DegradationEstimator.random(0)(read_image(photo)[None])[0].tolist()
    for options, words in {
        (): f"Blur {blur:.2f} (estimated), noise {noise:.2f} (estimated).",
        ("--noise", 0): f"Blur {blur:.2f} (estimated), noise 0.00 (given).",
        ("--blur", 1, "--noise", 0.25): "Blur 1.00 (given), noise 0.25 (given).",
    }.items():
        _run(photo, "--model", model, "--overwrite", *options)
        assert words in capsys.readouterr().err.splitlines()
    write_image(tmp_path / "folder" / "a.png", torch.rand(3, 5, 6))
    _run(tmp_path / "folder", "--model", model, "--blur", 1)
    assert "told" not in capsys.readouterr().err


def test_an_existing_photograph_is_not_overwritten(
    model: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "second.png", torch.rand(3, 5, 6))
    before = (tmp_path / "second.png").read_bytes()
    assert "--overwrite" in _refusal(capsys, photo, tmp_path / "second.png", "--model", model)
    assert (tmp_path / "second.png").read_bytes() == before
    _run(photo, tmp_path / "second.png", "--model", model, "--overwrite")
    assert read_image(tmp_path / "second.png").shape == (3, 60, 72)


def test_other_files_in_the_output_folder_are_kept(
    model: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(photo, "--model", model)
    assert capsys.readouterr().err.splitlines()[1:] == [f"Wrote {tmp_path / 'photo_sr.png'}, 72x60."]
    before = (tmp_path / "photo_sr.png").read_bytes()
    write_image(tmp_path / "photo.jpg", torch.rand(3, 5, 6))
    for name in ("photo.png", "photo.jpg"):
        words = _refusal(capsys, tmp_path / name, "--model", model)
        assert f"OUT not to exist, but got {tmp_path / 'photo_sr.png'}. Name another file, or say --overwrite" in words
    assert (tmp_path / "photo_sr.png").read_bytes() == before
    _run(tmp_path / "photo.jpg", "--model", model, "--overwrite")
    assert read_image(tmp_path / "photo_sr.png").shape == (3, 20, 24)


def test_the_tiles_of_one_image_update_the_progress_bar(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = list[tuple[float, bool]]()
    update = Progress.update

    def seen(self: Progress, *arguments: Any, **changes: Any) -> None:
        update(self, *arguments, **changes)
        bars.append((self.tasks[0].completed, self.tasks[0].visible))

    monkeypatch.setattr(Progress, "update", seen)
    for name, width in {"small": 8, "large": 30}.items():
        write_image(tmp_path / f"{name}.png", torch.rand(3, 8, width))
    _run(tmp_path / "small.png", "--model", model, "--scale", 8, "--tile", 192)
    assert bars == [(1, False)]
    bars.clear()
    _run(tmp_path / "large.png", "--model", model, "--scale", 8, "--tile", 192)
    assert len(bars) == 2 + 1 + 2 + 1  # encoded, denoised, decoded, and done
    assert bars == sorted(bars)
    assert all(visible for _, visible in bars)
    assert bars[-1] == (1, True)


def test_linked_results_are_not_upscaled_again(model: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "photos" / "a.png", torch.rand(3, 5, 6))
    (tmp_path / "out").mkdir()
    (tmp_path / "photos" / "out").symlink_to(tmp_path / "out")
    for _ in range(2):
        _run(tmp_path / "photos", tmp_path / "out", "--model", model)
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["a.png"]


def test_the_output_may_be_the_parent_folder(model: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "photos" / "a.png", torch.rand(3, 5, 6))
    _run(tmp_path / "photos", tmp_path, "--model", model)
    assert (tmp_path / "a.png").is_file()


def test_the_current_folder_as_input(model: Path, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photo.parent)
    _run(".", "--model", model)
    assert (photo.parent.with_name(f"{photo.parent.name}_sr") / "photo.png").is_file()
