"""Folders are listed in sorted order, lists in their own order."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data.sources import FolderSource, ListSource, Source, UnfitError
from dgsr.images import read_image, write_image


def fill(folder: Path, *names: str, side_px: int = 8) -> Path:
    for grey, name in enumerate(names):
        write_image(folder / name, torch.full((3, side_px, side_px), (grey + 1) / 10))
    return folder


def names(source: Source) -> list[str]:
    return [source.name(index) for index in range(len(source))]


def test_images_below_the_folder_are_sorted_by_path(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "sub/a.JPG", "a.webp", "sub/deep/c.tiff", "c.bmp", "d.jpeg")
    for other in ("notes.txt", "._a.png", "sub/Thumbs.db", ".ipynb_checkpoints/a-checkpoint.png"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("no image")
    (tmp_path / "folder.png").mkdir()
    source = FolderSource(tmp_path)
    assert names(source) == ["a.webp", "b.png", "c.bmp", "d.jpeg", "sub/a.JPG", "sub/deep/c.tiff"]
    assert names(FolderSource(tmp_path, limit=2)) == ["a.webp", "b.png"]
    assert len(source) == 6
    assert source.peers(3) == range(6)
    assert source.path(4) == tmp_path / "sub" / "a.JPG"
    assert torch.equal(source[1], read_image(tmp_path / "b.png"))


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.png", "closed/b.png")
    scandir = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))  # simulated, as root may read everything
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(UserError, match=r"folders that can be read, but got .*closed \(Permission denied\)"):
        FolderSource(tmp_path)


def test_names_of_photographs_elsewhere_stay_below_an_output_folder(tmp_path: Path) -> None:
    outside = fill(tmp_path / "elsewhere", "a.png", "b..c.png") / "a.png"
    listed = tmp_path / "root" / "list.txt"
    fill(listed.parent, "b.png")
    listed.write_text(f"b.png\n{outside}\n../elsewhere/a.png\n../elsewhere/b..c.png\n")
    source = ListSource(listed)
    elsewhere = outside.as_posix().removeprefix("/")
    assert names(source) == ["b.png", elsewhere, "__/elsewhere/a.png", "__/elsewhere/b..c.png"]
    assert torch.equal(source[1], source[2])


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    assert names(FolderSource(tmp_path / "root")) == ["linked/a.png"]


def test_cycles_of_links_are_followed_once(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "a.png", "x/b.png", "y/c.png")
    for link, target in {"itself": root, "x/outside": tmp_path, "x/y": root / "y", "y/x": root / "x"}.items():
        (root / link).symlink_to(target)
    assert names(FolderSource(root)) == ["a.png", "x/b.png", "x/y/c.png", "y/c.png", "y/x/b.png"]


@pytest.mark.parametrize("root", ["missing", "empty"])
def test_missing_and_empty_folders_are_refused_by_name_and_key(tmp_path: Path, root: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match=rf"{root}.*data\.train\.root"):
        FolderSource(tmp_path / root)
    with pytest.raises(UserError, match=rf"{root}.*data\.val\.root"):
        FolderSource(tmp_path / root, key="data.val.root")


def test_limits_on_size(tmp_path: Path) -> None:
    fill(tmp_path, "a.bmp", side_px=8)
    fill(tmp_path, "b.bmp", side_px=16)
    assert FolderSource(tmp_path, min_side_px=16, min_bytes=500)[1].shape == (3, 16, 16)
    with pytest.raises(UnfitError, match=r"a\.bmp of 8x8"):
        FolderSource(tmp_path, min_side_px=16)[0]
    size = (tmp_path / "a.bmp").stat().st_size
    with pytest.raises(UnfitError, match=rf"500 bytes or more, but got .*a\.bmp of {size}"):
        FolderSource(tmp_path, min_bytes=500)[0]


def test_fingerprints_depend_on_names_and_sizes_only(tmp_path: Path) -> None:
    first = FolderSource(fill(tmp_path / "a", "x.png", "y.png")).fingerprint()
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert FolderSource(tmp_path / "b").fingerprint() == first
    assert FolderSource(tmp_path / "b", limit=1).fingerprint() != first
    (tmp_path / "b" / "y.png").write_bytes(b"shorter")
    assert FolderSource(tmp_path / "b").fingerprint() != first


def test_a_list_is_read_in_its_order(tmp_path: Path) -> None:
    fill(tmp_path / "photos", "a.png", "b c.png", "sub/d.png")
    (tmp_path / "list.txt").write_text("photos/sub/d.png\r\n\nphotos/b c.png (8,8,3)\nphotos/a.png")
    source = ListSource(tmp_path / "list.txt")
    assert names(source) == ["photos/sub/d.png", "photos/b c.png", "photos/a.png"]
    assert torch.equal(source[1], read_image(tmp_path / "photos" / "b c.png"))
    assert names(ListSource(tmp_path / "list.txt", limit=1)) == ["photos/sub/d.png"]


def test_a_list_may_have_another_root_or_absolute_paths(tmp_path: Path) -> None:
    fill(tmp_path / "photos", "a.png")
    (tmp_path / "list.txt").write_text(f"a.png\n{tmp_path}/photos/a.png\n")
    source = ListSource(tmp_path / "list.txt", root=tmp_path / "photos")
    assert source.path(0) == source.path(1) == tmp_path / "photos" / "a.png"
    with pytest.raises(UserError, match=rf"no file {tmp_path}/a\.png.*set data\.train\.root to another folder"):
        ListSource(tmp_path / "list.txt")


@pytest.mark.parametrize("text", [None, "", "\n\n"])
def test_missing_and_empty_lists_are_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "list.txt").write_text(text)
    with pytest.raises(UserError, match=r"data\.val\.root"):
        ListSource(tmp_path / "list.txt", key="data.val.root")


def test_the_fingerprint_of_a_list_depends_on_its_text(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b.png")
    fingerprints = set()
    for text in ("a.png\nb.png\n", "b.png\na.png\n", "a.png\n"):
        (tmp_path / "list.txt").write_text(text)
        fingerprints.add(ListSource(tmp_path / "list.txt").fingerprint())
    assert len(fingerprints) == 3
