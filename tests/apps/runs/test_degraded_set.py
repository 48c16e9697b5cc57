"""Check that a written test set equals the evaluation's images, can be replayed and is never mixed with another."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch

from dgsr.apps.runs.degraded_set import expect_no_others, fixed_pairs, write_recipe, write_set
from dgsr.checks import UserError
from dgsr.data import FixedPairs, FolderSource
from dgsr.degradation import Recipe, degrade, draw, preset
from dgsr.images import read_image, write_image
from dgsr.seeds import rng

SPEC = preset("s3diff", scale=2)


@pytest.fixture
def pairs(tmp_path: Path) -> FixedPairs:
    for name, height in {"a.png": 40, "b.png": 37, "b.jpg": 45}.items():
        write_image(tmp_path / "photos" / name, torch.rand(3, height, 41))
    return fixed_pairs(FolderSource(tmp_path / "photos"), 36, SPEC, seed=5, key="--crop")


def states(folder: Path) -> dict[str, int]:
    return {f.relative_to(folder).as_posix(): f.stat().st_mtime_ns for f in folder.rglob("*.*")}


def test_every_pair_has_a_recipe(pairs: FixedPairs, tmp_path: Path) -> None:
    write_set(pairs, SPEC, tmp_path / "set", overwrite=False)
    names = ("a", "b.jpg", "b.png")
    assert set(states(tmp_path / "set")) == {
        f"{role}/{name}.{ending}"
        for name in names
        for role, ending in (("lq", "png"), ("hq", "png"), ("recipes", "json"))
    }
    recipe = Recipe.from_json((tmp_path / "set/recipes/a.json").read_text())
    assert recipe == draw(SPEC, int(rng(5, "fixed a.png").integers(2**63)), (36, 36))
    lq, hq = (read_image(tmp_path / "set" / role / "a.png") for role in ("lq", "hq"))
    assert lq.shape == (3, 18, 18)
    assert torch.equal(hq, read_image(tmp_path / "photos/a.png")[:, 2:38, 2:38])
    torch.testing.assert_close(lq, degrade(hq, recipe), atol=0.51 / 255, rtol=0)


@pytest.mark.parametrize("role", ["lq", "hq", "recipes"])
def test_only_missing_pairs_are_written(
    pairs: FixedPairs, tmp_path: Path, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(pairs, SPEC, tmp_path / "set", overwrite=False)
    before = states(tmp_path / "set")
    next((tmp_path / "set" / role).glob("a.*")).unlink()
    capsys.readouterr()
    write_set(pairs, SPEC, tmp_path / "set", overwrite=False)
    said = f"2 of 3 images are there already.\nWrote 1 pair to {tmp_path / 'set'}.\n"
    assert capsys.readouterr().err == said
    after = states(tmp_path / "set")
    assert {name for name in before if after[name] != before[name]} == {"lq/a.png", "hq/a.png", "recipes/a.json"}


def test_failed_pairs_are_removed_when_overwriting(pairs: FixedPairs, tmp_path: Path) -> None:
    write_set(pairs, SPEC, tmp_path / "set", overwrite=False)
    (tmp_path / "photos" / "a.png").write_bytes(b"no image")
    (tmp_path / "photos" / "b.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"a\.png.*\n.*b\.jpg.*\n2 of 3 images could not be degraded\."):
        write_set(pairs, SPEC, tmp_path / "set", overwrite=True)
    assert set(states(tmp_path / "set")) == {"lq/b.png.png", "hq/b.png.png", "recipes/b.png.json"}


def test_overwriting_a_folder_with_other_pairs_is_refused(pairs: FixedPairs, tmp_path: Path) -> None:
    write_set(pairs, SPEC, tmp_path / "set", overwrite=False)
    expect_no_others(pairs, tmp_path / "set")
    fewer = fixed_pairs(FolderSource(tmp_path / "photos", limit=2), 36, SPEC, seed=5, key="--crop")
    with pytest.raises(UserError, match=r"alone, but got hq/b\.\w+\.png, .*Remove them, or name another --out"):
        expect_no_others(fewer, tmp_path / "set")


def test_crops_that_do_not_fit_the_scale_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", torch.rand(3, 40, 40))
    for side in (0, -2, 33):
        with pytest.raises(UserError, match=f"--crop to be a multiple of the scale 2, but got {side}"):
            fixed_pairs(FolderSource(tmp_path), side, SPEC, 0, "--crop")


def test_recipes_go_into_new_folders(tmp_path: Path) -> None:
    recipe = draw(SPEC, 1, (32, 48))
    write_recipe(tmp_path / "new" / "a.json", recipe)
    assert Recipe.from_json((tmp_path / "new" / "a.json").read_text()) == recipe


def test_recipes_are_written_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, text: str, encoding: str) -> int:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_recipe(tmp_path / "a.json", draw(SPEC, 1, (32, 48)))
    assert not list(tmp_path.iterdir())
