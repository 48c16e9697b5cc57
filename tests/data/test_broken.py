"""Broken and small photographs are replaced; broken ones are counted."""

import logging
from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data.broken import BrokenFiles, read_or_replace
from dgsr.data.mixture import MixedSource
from dgsr.data.opening import bundled
from dgsr.data.sources import FolderSource
from dgsr.images import write_image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two broken files, two small images, four intact ones."""
    for index in range(8):
        side_px = 8 if index < 4 else 16
        write_image(tmp_path / f"{index}.png", torch.full((3, side_px, side_px), index / 255))
    for index in (0, 1):
        (tmp_path / f"{index}.png").write_bytes((tmp_path / f"{index}.png").read_bytes()[:40])
    return tmp_path


def test_intact_photographs_are_kept(folder: Path) -> None:
    source = FolderSource(folder)
    image, index, failures = read_or_replace(source, 5, seed=0)
    assert torch.equal(image, source[5])
    assert (index, failures) == (5, [])


def test_broken_ones_are_replaced_by_the_seed(folder: Path) -> None:
    source = FolderSource(folder)
    replaced = [read_or_replace(source, 0, seed) for seed in range(60)]
    for seed, (image, index, failures) in enumerate(replaced):
        assert torch.equal(image, source[index])
        assert "0.png" in failures[0]
        assert index == read_or_replace(source, 0, seed)[1]
    assert {index for _, index, _ in replaced} == set(range(2, 8))


def test_small_ones_are_replaced_and_no_failure(folder: Path) -> None:
    source = FolderSource(folder, min_side_px=16)
    for seed in range(60):
        image, index, failures = read_or_replace(source, 2, seed)
        assert index >= 4
        assert image.shape == (3, 16, 16)
        assert all("0.png" in failure or "1.png" in failure for failure in failures)


def test_the_only_large_enough_photograph_is_used(tmp_path: Path) -> None:
    for index in range(40):
        write_image(tmp_path / f"{index:02}.png", torch.zeros(3, 8 + (index == 0), 9))
    source = FolderSource(tmp_path, min_side_px=9)
    assert {read_or_replace(source, 1, seed)[1:] == (0, []) for seed in range(20)} == {True}


def test_replacements_come_from_the_same_source_of_a_mixture(folder: Path) -> None:
    mixture = MixedSource([(FolderSource(folder), 1.0), (bundled("val"), 9.0)])
    assert {read_or_replace(mixture, 0, seed)[1] for seed in range(60)} == set(range(2, 8))


def test_a_lost_disk_is_reported(folder: Path) -> None:
    source = FolderSource(folder)
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"20 broken and 0 too small.*Check the disk"):
        read_or_replace(source, 3, seed=0)


def test_a_limit_above_all_sizes_is_reported(folder: Path) -> None:
    with pytest.raises(UserError, match=r"min_side_px"):
        read_or_replace(FolderSource(folder, min_side_px=17), 3, seed=0)


def test_each_failure_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = BrokenFiles(100, 0.02)
    with caplog.at_level(logging.WARNING):
        broken.report(["a.png is broken"])
        broken.report([])
        broken.report(["a.png is broken", "b.png is broken"])
    assert [record.message for record in caplog.records] == [
        "Skipped (1 so far): a.png is broken",
        "Skipped (2 so far): b.png is broken",
    ]
    broken.report(["a.png is broken"])


def test_too_many_broken_photographs_stop_the_run(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UserError, match=r"1\.00%.*2 of 100.*b\.png.*data\.max_broken_fraction"):
        BrokenFiles(100, 0.01).report(["a.png", "b.png"])
    with pytest.raises(UserError):
        BrokenFiles(100, 0.0).report(["a.png"])
    BrokenFiles(100, 1.0).report([f"{index}.png" for index in range(100)])


def test_wrong_fractions_are_refused() -> None:
    with pytest.raises(UserError, match=r"data\.max_broken_fraction"):
        BrokenFiles(100, 1.5)
