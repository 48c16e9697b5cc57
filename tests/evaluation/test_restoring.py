"""Test the cache of restored images and the check of its settings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image as PillowImage

from dgsr.checks import UserError
from dgsr.data import FixedPairs, ListSource, LqFolder
from dgsr.degradation import preset
from dgsr.evaluation import Restoring, expect_same_settings
from dgsr.images import write_image
from dgsr.ops.resizing import upsample
from dgsr.training.data.degrading import Degrade
from dgsr.types import Image


class Counting:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, lq: Image) -> Image:
        self.calls += 1
        return upsample(lq[None], 4)[0]


def test_cached_images_are_not_restored_again(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "b.webp"):
        write_image(tmp_path / "lq" / name, torch.rand(3, 6, 5))
    upscaler = Counting()
    samples = Restoring(LqFolder(tmp_path / "lq"), upscaler, tmp_path / "run")
    assert samples.names == ["a", "b.png", "b.webp"]  # distinct files in the cache
    first = samples["a"]
    again = Restoring(LqFolder(tmp_path / "lq"), upscaler, tmp_path / "run")["a"]
    assert upscaler.calls == 1
    assert torch.equal(first["sr"], again["sr"])
    assert torch.equal(first["sr"], (upsample(first["lq"][None], 4)[0] * 255).round() / 255)
    assert sorted(path.relative_to(tmp_path / "run").as_posix() for path in tmp_path.glob("run/*/*")) == [
        "lq/a.png",
        "sr/a.png",
    ]


def test_listed_photographs_are_not_modified(tmp_path: Path) -> None:
    photograph = _folder_with(tmp_path / "photos", torch.rand(3, 40, 40)) / "a.png"
    (tmp_path / "list.txt").write_text(f"{photograph}\n")
    before = photograph.read_bytes()
    degraded = FixedPairs(ListSource(tmp_path / "list.txt"), None, Degrade(preset("none")), 0, 4)
    samples = Restoring(degraded, Counting(), tmp_path / "run", keep=("hq",))
    assert samples[samples.names[0]]["sr"].shape == (3, 40, 40)
    assert photograph.read_bytes() == before
    assert len(list((tmp_path / "run").rglob("*.png"))) == 3


def test_image_listed_twice_is_refused(tmp_path: Path) -> None:
    _folder_with(tmp_path, torch.rand(3, 40, 40))
    (tmp_path / "list.txt").write_text("a.png\na.png\n")
    degraded = FixedPairs(ListSource(tmp_path / "list.txt"), None, Degrade(preset("none")), 0, 4)
    with pytest.raises(UserError, match=r"every image once, but got 2 times a\.png"):
        Restoring(degraded, Counting(), tmp_path / "run")


def test_changed_input_is_restored_again(tmp_path: Path) -> None:
    upscaler = Counting()
    samples = Restoring(LqFolder(_folder_with(tmp_path / "lq", torch.rand(3, 6, 5))), upscaler, tmp_path / "run")
    before = samples["a"]["sr"]
    _folder_with(tmp_path / "lq", torch.rand(3, 6, 5))
    assert not torch.equal(samples["a"]["sr"], before)
    _folder_with(tmp_path / "lq", torch.rand(3, 5, 6))
    assert samples["a"]["sr"].shape == (3, 20, 24)
    assert torch.equal(samples["a"]["sr"], samples["a"]["sr"])
    assert upscaler.calls == 3


@pytest.mark.parametrize("role", ["lq", "sr"])
def test_damaged_cache_file_is_restored_again(tmp_path: Path, role: str) -> None:
    samples = Restoring(LqFolder(_folder_with(tmp_path / "lq", torch.rand(3, 6, 5))), Counting(), tmp_path / "run")
    before = samples["a"]["sr"]
    file = tmp_path / "run" / role / "a.png"
    sound = file.read_bytes()
    file.write_bytes(sound[:40])
    assert torch.equal(samples["a"]["sr"], before)
    assert file.read_bytes() == sound


def test_size_limit_does_not_apply_to_restored_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = Restoring(LqFolder(_folder_with(tmp_path / "lq", torch.rand(3, 6, 5))), Counting(), tmp_path / "run")
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 30)
    assert samples["a"]["sr"].shape == (3, 24, 20)


def _folder_with(folder: Path, image: Image) -> Path:
    write_image(folder / "a.png", image)
    return folder


def test_changed_settings_are_refused(tmp_path: Path) -> None:
    expect_same_settings(tmp_path / "run", {"guidance": 1.07, "model": "a"})
    expect_same_settings(tmp_path / "run", {"guidance": 1.07, "model": "a"})
    with pytest.raises(UserError, match=r"but got guidance=1\.0 instead of 1\.07\. Use the earlier settings"):
        expect_same_settings(tmp_path / "run", {"guidance": 1.0, "model": "a"})
    (tmp_path / "run" / "settings.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        expect_same_settings(tmp_path / "run", {"guidance": 1.0})


def test_overwrite_accepts_other_settings(tmp_path: Path) -> None:
    write_image(tmp_path / "lq" / "a.png", torch.rand(3, 4, 4))
    with pytest.raises(UserError, match=r"Choose another folder: --out\."):
        expect_same_settings(tmp_path, {"seed": 0}, folder_option="--out")
    for seed in (0, 1):
        expect_same_settings(tmp_path, {"seed": seed}, overwrite=True)
        expect_same_settings(tmp_path, {"seed": seed})
    with pytest.raises(UserError, match=r"seed=0 instead of 1\. Use the earlier settings, or another folder: --out\."):
        expect_same_settings(tmp_path, {"seed": 0}, folder_option="--out")


@pytest.mark.parametrize("name", ["sr/a.png", "lq/a.png", "metrics.csv"])
def test_folder_with_other_results_is_refused_and_unchanged(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"of something else")
    with pytest.raises(UserError, match=f"without other results, but got .* with {name[:2]}.*paths\\.run="):
        expect_same_settings(tmp_path, {"guidance": 1.0})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]


def test_error_of_the_upscaler_names_the_image(tmp_path: Path) -> None:
    def full(lq: Image) -> Image:
        raise UserError("Expected an image that fits into memory.")

    samples = Restoring(LqFolder(_folder_with(tmp_path / "lq", torch.rand(3, 6, 5))), full, tmp_path / "run")
    with pytest.raises(UserError, match=r"a: Expected an image that fits"):
        samples["a"]
