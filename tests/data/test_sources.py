"""Folders are listed the same everywhere; mixtures keep their shares."""

import shutil
from collections import Counter
from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data.sources import BUNDLED, FolderSource, MixedSource, Source, UnfitError, bundled, open_source
from dgsr.images import read_image, write_image


def fill(folder: Path, *names: str, side_px: int = 8) -> Path:
    for grey, name in enumerate(names):
        write_image(folder / name, torch.full((3, side_px, side_px), (grey + 1) / 10))
    return folder


def names(source: Source) -> list[str]:
    return [source.name(index) for index in range(len(source))]


def test_images_below_the_folder_in_the_order_of_their_names(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "sub/a.JPG", "a.webp", "sub/deep/c.tiff", "c.bmp", "d.jpeg")
    for other in ("notes.txt", "._a.png", "sub/Thumbs.db"):
        (tmp_path / other).write_text("no image")
    (tmp_path / "folder.png").mkdir()
    source = FolderSource(tmp_path)
    assert names(source) == ["a.webp", "b.png", "c.bmp", "d.jpeg", "sub/a.JPG", "sub/deep/c.tiff"]
    assert names(FolderSource(tmp_path, recursive=False)) == ["a.webp", "b.png", "c.bmp", "d.jpeg"]
    assert names(FolderSource(tmp_path, limit=2)) == ["a.webp", "b.png"]
    assert len(source) == source.num_files == 6
    assert source.path(4) == tmp_path / "sub" / "a.JPG"
    assert torch.equal(source[1], read_image(tmp_path / "b.png"))


def test_linked_folders_belong_to_it(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    assert names(FolderSource(tmp_path / "root")) == ["linked/a.png"]


@pytest.mark.parametrize("root", ["missing", "empty"])
def test_missing_and_empty_folders_are_refused_by_name_and_key(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match=rf"{root}.*data\.train\.root"):
        FolderSource(tmp_path / root)
    with pytest.raises(UserError, match=rf"{root}.*data\.val\.root"):
        open_source(str(tmp_path / root), key="data.val.root")


def test_limits_on_size(tmp_path: Path) -> None:
    fill(tmp_path, "a.bmp", side_px=8)
    fill(tmp_path, "b.bmp", side_px=16)
    source = FolderSource(tmp_path, min_side_px=16)
    assert source[1].shape == (3, 16, 16)
    with pytest.raises(UnfitError, match=r"a\.bmp of 8x8"):
        source[0]
    assert names(FolderSource(tmp_path, min_bytes=500)) == ["b.bmp"]
    with pytest.raises(UserError, match="10000 bytes or more"):
        FolderSource(tmp_path, min_bytes=10_000)


def test_fingerprints_follow_names_and_sizes_and_not_places(tmp_path: Path) -> None:
    first = FolderSource(fill(tmp_path / "a", "x.png", "y.png")).fingerprint()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert FolderSource(tmp_path / "b").fingerprint() == first
    assert FolderSource(tmp_path / "b", limit=1).fingerprint() != first
    (tmp_path / "b" / "y.png").write_bytes(b"shorter")
    assert FolderSource(tmp_path / "b").fingerprint() != first


def test_without_weights_a_mixture_is_one_after_the_other(tmp_path: Path) -> None:
    a, b = FolderSource(fill(tmp_path / "a", "1.png", "2.png")), FolderSource(fill(tmp_path / "b", "3.png"))
    mixture = MixedSource([(a, None), (b, None)])
    assert names(mixture) == ["0/1.png", "0/2.png", "1/3.png"]
    assert torch.equal(mixture[2], b[0])
    assert mixture.path(2) == b.path(0)
    assert mixture.num_files == 3
    assert mixture.fingerprint() != MixedSource([(b, None), (a, None)]).fingerprint()


def test_weights_are_shares_of_an_epoch(tmp_path: Path) -> None:
    a = FolderSource(fill(tmp_path / "a", "1.png", "2.png", "3.png"))
    b = FolderSource(fill(tmp_path / "b", "4.png", "5.png"))
    mixture = MixedSource([(a, 1.0), (b, 3.0)])
    counts = Counter(names(mixture))
    assert mixture.num_files == 5
    assert counts["1/4.png"] + counts["1/5.png"] == pytest.approx(0.75 * len(mixture), rel=0.01)
    assert counts["0/1.png"] == pytest.approx(counts["0/3.png"], rel=0.02)
    assert counts["1/4.png"] == pytest.approx(counts["1/5.png"], rel=0.02)


def test_mixtures_that_make_no_sense_are_refused() -> None:
    val = bundled("val")
    parts: list[list[tuple[Source, float | None]]] = [
        [],
        [(val, 1.0), (val, None)],
        [(val, 0.0)],
        [(val, -1.0), (val, 2.0)],
    ]
    for part in parts:
        with pytest.raises(UserError):
            MixedSource(part)


def test_bundled_photographs_have_an_author_and_a_licence() -> None:
    train, val = bundled("train"), bundled("val")
    assert (len(train), len(val)) == (39, 9)
    header, *rows = (BUNDLED / "SOURCES.csv").read_text().splitlines()
    assert header.startswith("file,original,author,licence")
    assert {row.split(",")[0] for row in rows} == {f"train/{n}" for n in names(train)} | {
        f"val/{n}" for n in names(val)
    }
    assert min(val[0].shape[1:]) >= 256


def test_what_a_config_can_say(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "2.png", "3.png")
    assert names(open_source("bundled:val")) == names(bundled("val"))
    assert names(open_source(str(tmp_path), limit=2)) == ["1.png", "2.png"]
    mixture = open_source([{"root": str(tmp_path), "limit": 1}, "bundled:val"])
    assert names(mixture) == ["0/1.png", *(f"1/{name}" for name in names(bundled("val")))]
    weighted = open_source([{"root": str(tmp_path), "weight": 1}, {"root": "bundled:val", "weight": 1}])
    assert weighted.num_files == 12
    assert len(open_source([{"root": str(tmp_path)}])) == 3
    for wrong in ("bundled:tset", [], [{"rooot": "x"}], [{"weight": 1}]):
        with pytest.raises(UserError):
            open_source(wrong)
