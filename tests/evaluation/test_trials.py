"""Test grouping of runs into variants, and their paired comparison."""

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


def test_variants_differ_in_settings_but_not_in_seeds() -> None:
    assert varying(TRIALS) == ["gan", "seed"]
    base, other = variants(TRIALS)
    assert [base.label, other.label] == ["yes", "no"]
    assert [[t.name for t in group.trials] for group in (base, other)] == [["0", "1"], ["2", "3"]]
    assert [t.name for t in other.done] == ["2"]
    assert (base.mean("psnr"), other.mean("psnr"), other.mean("ssim")) == (25.5, 27.0, None)
    assert metrics_of(TRIALS) == ["psnr"]
    assert changes(other, base) == {"gan": ("no", "yes")}


def test_equal_runs_are_one_variant() -> None:
    (only,) = variants([trial("0", "0", 20.0), trial("1", "1", 20.0)])
    assert only.label == "all"


def test_variant_labels_are_unique() -> None:
    names = ["", "default", "hq", "sharp", "degraded"]
    groups = variants([trial(str(place), "0", gan=name) for place, name in enumerate(names)])
    assert [group.label for group in groups] == ["default", "gan=default", "hq", "gan=sharp", "gan=degraded"]


def test_difference_pairs_images_and_seeds() -> None:
    base, other = variants(TRIALS)
    gain = compare(other, base, "psnr")
    assert gain is not None
    assert (gain.mean, gain.low, gain.high) == (pytest.approx(2.0), pytest.approx(1.0), pytest.approx(3.0))
    unpaired = variants([trial("4", "7", 20.0, 30.0)])[0]
    assert compare(unpaired, base, "psnr") is None


def test_image_missing_in_one_run_is_skipped() -> None:
    base, other = variants([trial("0", "0", 20.0, 30.0, gan="yes"), trial("1", "0", 25.0, gan="no")])
    gain = compare(other, base, "psnr")
    assert gain is not None
    assert (gain.mean, gain.low) == (5.0, None)
