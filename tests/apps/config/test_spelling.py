"""Spelling: what a mistyped name may have meant."""

from __future__ import annotations

import pytest

from dgsr.apps.config.spelling import alike, unknown_key

KEYS = ["seed", "data", "data.crop_px", "data.seed", "data.train", "data.train.root", "optimizer.lr", "critic.lr"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("data.crp_px", ["data.crop_px"]),
        ("dta.train.root", ["data.train.root"]),
        ("data.train.rot", ["data.train.root"]),
        ("sed", ["seed"]),
        ("lr", ["critic.lr", "optimizer.lr"]),
        ("blue", []),
    ],
)
def test_the_most_similar_key_is_suggested(typed: str, meant: list[str]) -> None:
    assert sorted(alike(typed, KEYS)) == meant


def test_at_most_three_keys_are_suggested() -> None:
    assert len(alike("step", [f"step{i}" for i in range(9)])) == 3


def test_siblings_are_listed_if_no_key_is_similar() -> None:
    assert unknown_key("data.blue", KEYS).endswith("got data.blue. Known there: crop_px, seed, train.")
    assert unknown_key("nowhere.blue", KEYS).endswith("Known there: nothing.")
