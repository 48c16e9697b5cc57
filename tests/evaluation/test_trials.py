"""Runs are compared with what they have in common: the seed and the image."""

from __future__ import annotations

import pytest

from dgsr.evaluation.trials import Trial, changes, compare, metrics_of, variants, varying


def trial(name: str, seed: str, *psnr: float, state: str = "done", **settings: str) -> Trial:
    images = {f"{place}.png": {"psnr": value} for place, value in enumerate(psnr)}
    return Trial(name, {"data": "x", **settings, "seed": seed}, state, images=images, config=settings)


TRIALS = [
    trial("0", "0", 20.0, 30.0, gan="yes"),
    trial("1", "1", 21.0, 31.0, gan="yes"),
    trial("2", "0", 21.0, 33.0, gan="no"),
    trial("3", "1", gan="no", state="failed"),
]


def test_only_what_differs_sets_variants_apart_and_seeds_do_not() -> None:
    assert varying(TRIALS) == ["gan", "seed"]
    base, other = variants(TRIALS)
    assert [base.label, other.label] == ["yes", "no"]
    assert [[t.name for t in group.trials] for group in (base, other)] == [["0", "1"], ["2", "3"]]
    assert [t.name for t in other.done] == ["2"]
    assert (base.mean("psnr"), other.mean("psnr"), other.mean("ssim")) == (25.5, 27.0, None)
    assert metrics_of(TRIALS) == ["psnr"]
    assert changes(other, base) == {"gan": ("no", "yes")}


def test_runs_that_differ_in_nothing_are_one_variant() -> None:
    (only,) = variants([trial("0", "0", 20.0), trial("1", "1", 20.0)])
    assert only.label == "all"


def test_labels_are_unique() -> None:
    names = ["", "default", "hq", "sharp", "degraded"]
    groups = variants([trial(str(place), "0", gan=name) for place, name in enumerate(names)])
    assert [group.label for group in groups] == ["default", "gan=default", "hq", "gan=sharp", "gan=degraded"]


def test_a_difference_is_that_of_the_same_image_after_the_same_seed() -> None:
    base, other = variants(TRIALS)
    found = compare(other, base, "psnr")
    assert found is not None
    assert (found.mean, found.low, found.high) == (pytest.approx(2.0), pytest.approx(1.0), pytest.approx(3.0))
    stranger = variants([trial("4", "7", 20.0, 30.0)])[0]
    assert compare(stranger, base, "psnr") is None


def test_an_image_that_one_run_lacks_is_left_out() -> None:
    base, other = variants([trial("0", "0", 20.0, 30.0, gan="yes"), trial("1", "0", 25.0, gan="no")])
    found = compare(other, base, "psnr")
    assert found is not None
    assert (found.mean, found.low) == (5.0, None)
