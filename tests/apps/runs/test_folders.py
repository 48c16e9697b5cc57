"""Check that results are not read as sources, and that failures are listed at the end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from rich.console import Console

from dgsr.apps.runs.folders import expect_none_failed, say, source_outside, tell_kept
from dgsr.checks import UserError
from dgsr.images import write_image


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("a.png", "deep/b.jpg"):
        write_image(tmp_path / "photos" / name, torch.rand(3, 4, 4))
    return tmp_path / "photos"


def test_results_inside_the_source_are_refused(photos: Path, tmp_path: Path) -> None:
    assert list(source_outside(photos, [tmp_path, tmp_path / "new"], "IN").names) == ["a.png", "deep/b.jpg"]
    for target in (photos, photos / "new", photos / "deep"):
        with pytest.raises(UserError, match=r"a folder outside .*photos to write to"):
            source_outside(photos, [tmp_path / "new", target], "IN")
    with pytest.raises(UserError, match="which is a file"):
        source_outside(photos / "deep", [photos / "a.png"], "IN")


def test_linked_results_are_skipped(photos: Path, tmp_path: Path) -> None:
    for place in ("one", "two"):
        write_image(tmp_path / place / "c.png", torch.rand(3, 4, 4))
        (photos / place).symlink_to(tmp_path / place)
    source = source_outside(photos, [tmp_path / "one", tmp_path / "two"], "IN")
    assert list(source.names) == ["a.png", "deep/b.jpg"]
    assert list(source_outside(photos, [tmp_path / "one"], "IN").names) == ["a.png", "deep/b.jpg", "two/c.png"]


def test_messages_are_not_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(stderr=True, width=20)
    tell_kept(console, 3, 3)
    tell_kept(console, 1, 3)
    say(console, "[a] sentence wider than the terminal")
    said = "2 of 3 images are there already.\n[a] sentence wider than the terminal\n"
    assert capsys.readouterr().err == said


def test_failures_are_counted() -> None:
    expect_none_failed([], 3, "upscaled")
    with pytest.raises(UserError, match=r"^a failed\.$"):
        expect_none_failed(["a failed."], 1, "upscaled")
    with pytest.raises(UserError, match=r"^a failed\.\n1 of 3 images could not be upscaled\.$"):
        expect_none_failed(["a failed."], 3, "upscaled")
