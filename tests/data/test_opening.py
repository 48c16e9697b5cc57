"""A config opens the source that it describes."""

from pathlib import Path

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data.mixture import MixedSource
from dgsr.data.opening import BUNDLED, bundled, open_source
from dgsr.data.sources import Source
from dgsr.images import write_image


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        write_image(folder / name, torch.zeros(3, 8, 8))
    return folder


def names(source: Source) -> list[str]:
    return [source.name(index) for index in range(len(source))]


def test_bundled_photographs_have_an_author_and_a_licence() -> None:
    train, val = bundled("train"), bundled("val")
    assert (len(train), len(val)) == (39, 9)
    header, *rows = (BUNDLED / "SOURCES.csv").read_text().splitlines()
    assert header.startswith("file,original,author,licence")
    assert {row.split(",")[0] for row in rows} == {f"train/{n}" for n in names(train)} | {
        f"val/{n}" for n in names(val)
    }
    assert min(val[0].shape[1:]) >= 256


def test_folders_and_lists(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "2.png", "3.png")
    (tmp_path / "list.txt").write_text("3.png\n1.png\n")
    assert names(open_source("bundled:val", limit=2)) == names(bundled("val"))[:2]
    assert names(open_source(str(tmp_path), limit=2)) == ["1.png", "2.png"]
    assert names(open_source(str(tmp_path / "list.txt"))) == ["3.png", "1.png"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "list.txt").rename(elsewhere / "meta_info")
    assert names(open_source(str(tmp_path), names=str(elsewhere / "meta_info"))) == ["3.png", "1.png"]


def test_mixtures(tmp_path: Path) -> None:
    fill(tmp_path, "1.png", "2.png", "3.png")
    mixture = open_source([{"root": str(tmp_path), "limit": 1}, "bundled:val"])
    assert names(mixture) == ["0/1.png", *(f"1/{name}" for name in names(bundled("val")))]
    weighted = open_source([{"root": str(tmp_path), "weight": 1}, {"root": "bundled:val", "weight": 3}], limit=2)
    assert isinstance(weighted, MixedSource)
    assert (len(weighted), weighted.weights) == (4, [1.0, 3.0])
    assert len(open_source([{"root": str(tmp_path)}])) == 3


@pytest.mark.parametrize("wrong", ["bundled:tset", [], [{"rooot": "x"}], [{"weight": 1}]])
def test_wrong_roots_are_refused(wrong: str | list[str | dict[str, str | int]]) -> None:
    with pytest.raises(UserError):
        open_source(wrong)


def test_a_limit_of_zero_is_refused() -> None:
    with pytest.raises(UserError, match=r"limit above 0 for data\.val\.root"):
        open_source("bundled:val", limit=0, key="data.val.root")
