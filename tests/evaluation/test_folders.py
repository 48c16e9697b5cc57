"""Test pairing of images by name, and checks of their sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from dgsr.checks import UserError
from dgsr.evaluation import RestoredFolder
from dgsr.images import write_image


def folders(root: Path) -> dict[str, Path]:
    for role, ending, side in [("sr", "png", 16), ("hq", "webp", 16), ("lq", "jpg", 4)]:
        for name in ("1", "in/2"):
            write_image(root / role / f"{name}.{ending}", torch.rand(3, side, side))
    return {role: root / role for role in ("sr", "hq", "lq")}


def test_images_are_paired_across_file_formats(tmp_path: Path) -> None:
    samples = RestoredFolder(folders(tmp_path))
    assert samples.names == ["1", "in/2"]
    assert {role: image.shape[1] for role, image in samples["in/2"].items() if role != "name"} == {
        "sr": 16,
        "hq": 16,
        "lq": 4,
    }


def test_images_are_paired_despite_appended_suffixes(tmp_path: Path) -> None:
    for role, appended, side in [("sr", "_LR4_out", 16), ("hq", "_HR", 16), ("lq", "_LR4", 4), ("against", "x4", 16)]:
        for value, name in enumerate(("1", "in/2")):
            write_image(tmp_path / role / f"{name}{appended}.png", torch.full((3, side, side), float(value)))
    samples = RestoredFolder({role: tmp_path / role for role in ("sr", "hq", "lq", "against")})
    assert samples.names == ["1_LR4_out", "in/2_LR4_out"]
    for value, name in enumerate(samples.names):
        sample = samples[name]
        assert sample["name"] == name
        assert all(sample[role].unique().tolist() == [value] for role in ("sr", "hq", "lq", "against"))


def test_size_limit_does_not_apply_to_restored_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = folders(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert RestoredFolder({"sr": roots["sr"], "against": roots["sr"]})["1"]["sr"].shape == (3, 16, 16)
    with pytest.raises(UserError, match="safe size"):
        RestoredFolder({"sr": roots["sr"], "hq": roots["hq"]})["1"]


def test_image_without_partner_is_refused_by_name(tmp_path: Path) -> None:
    roots = folders(tmp_path)
    (roots["hq"] / "1.webp").unlink()
    with pytest.raises(UserError, match=r"but got 1 \(1 without a partner\)"):
        RestoredFolder(roots)


def test_duplicate_names_are_refused(tmp_path: Path) -> None:
    roots = folders(tmp_path)
    write_image(roots["sr"] / "1.jpg", torch.rand(3, 16, 16))
    with pytest.raises(UserError, match="one image of each name"):
        RestoredFolder(roots)


def test_mismatched_size_and_damaged_file_are_refused_on_access(tmp_path: Path) -> None:
    roots = folders(tmp_path)
    write_image(roots["hq"] / "1.webp", torch.rand(3, 16, 12))
    (roots["lq"] / "in/2.jpg").write_bytes(b"")
    samples = RestoredFolder(roots)
    with pytest.raises(UserError, match=r"1\.webp of 16x16 as in sr, but got 12x16"):
        samples["1"]
    with pytest.raises(UserError, match=r"2\.jpg"):
        samples["in/2"]
