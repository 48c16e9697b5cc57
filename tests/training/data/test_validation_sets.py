"""Test validation sets of photographs and of pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data import FixedPairs, bundled
from dgsr.degradation import preset
from dgsr.images import write_image
from dgsr.training.data.degrading import Degrade
from dgsr.training.data.validation_sets import ValidationPairs, ValidationSet, named_sets

DEGRADE = Degrade(preset("s3diff"))


def opened(given: ValidationSet, crop_px: int | None = 32) -> Any:
    return given.open(DEGRADE, crop_px, seed=3, key="data.val_sets.mine")


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Any]:
    for kind, side_px in (("lq", 4), ("hq", 16)):
        for name in "abc":
            write_image(tmp_path / kind / f"{name}.png", torch.rand(3, side_px, side_px))
    return {kind: str(tmp_path / kind) for kind in ("lq", "hq")}


def test_photographs_have_fixed_degradations() -> None:
    pair = opened(ValidationSet("bundled:val"))[2]
    expected = FixedPairs(bundled("val"), 32, DEGRADE, seed=3, multiple=4)[2]
    assert torch.equal(pair["lq"], expected["lq"])
    assert pair["name"] == expected["name"]


def test_named_set_can_override_crop_degradation_and_length() -> None:
    own = opened(ValidationSet("bundled:val", crop_px=64, degradation="bicubic", limit=2))
    assert len(own) == 2
    expected = FixedPairs(bundled("val"), 64, Degrade(preset("bicubic")), seed=3, multiple=4)[1]
    assert torch.equal(own[1]["lq"], expected["lq"])


def test_real_pairs(folders: dict[str, Any]) -> None:
    pairs = opened(ValidationSet(**folders))
    assert [pairs[index]["name"] for index in range(len(pairs))] == ["a.png", "b.png", "c.png"]
    assert len(opened(ValidationSet(**folders, limit=99))) == 3


def test_real_pairs_in_one_folder(tmp_path: Path) -> None:
    for kind, side_px in (("LR4", 4), ("HR", 16)):
        write_image(tmp_path / f"Canon_001_{kind}.png", torch.rand(3, side_px, side_px))
    pairs = opened(ValidationSet(lq=str(tmp_path), hq=str(tmp_path)))
    assert [pairs[index]["name"] for index in range(len(pairs))] == ["Canon_001_LR4.png"]


def test_set_is_either_photographs_or_pairs() -> None:
    all_three = {"root": "a", "lq": "b", "hq": "c"}
    for given, got in [({}, "nothing"), (all_three, "root, lq, hq"), ({"lq": "b"}, "lq"), ({"root": ""}, "nothing")]:
        with pytest.raises(UserError, match=rf"data\.val_sets\.mine\.root, or .* but got {got}\."):
            opened(ValidationSet(**given))


def test_errors_name_the_config_key(folders: dict[str, Any]) -> None:
    for wrong, key in (
        (ValidationSet("nowhere"), r"mine\.root"),
        (ValidationSet(lq=folders["lq"], hq="nowhere"), r"mine\.hq"),
        (ValidationSet("bundled:val", crop_px=30), r"mine\.crop_px"),
        (ValidationSet("bundled:val", limit=0), r"mine\.limit"),
        (ValidationSet(**folders, repeats=2), r"mine\.repeats only beside data\.val_sets\.mine\.root, but got lq, hq"),
    ):
        with pytest.raises(UserError, match=key):
            opened(wrong)
    for name in ("a/b", "bicubic"):
        with pytest.raises(UserError, match="a name of a validation set"):
            named_sets(**{name: {}})


def test_pairs_name_their_set(folders: dict[str, Any]) -> None:
    sets = named_sets(real={**folders, "limit": 2}, more=ValidationSet("bundled:val", limit=1))
    pairs = ValidationPairs({"": opened(ValidationSet(**folders))} | {name: opened(one) for name, one in sets.items()})
    assert pairs.sets == ("", "real", "more")
    reported = [(pairs[index]["set"], pairs[index]["name"]) for index in range(len(pairs))]
    unnamed, real = [("", f"{name}.png") for name in "abc"], [("real", f"real/{name}.png") for name in "ab"]
    assert reported[:-1] == unnamed + real
    assert reported[-1][1].startswith("more/")


def test_run_without_validation_set_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.val_sets"):
        ValidationPairs({})
