"""Test averages over images and sets."""

from __future__ import annotations

from dgsr.training.loop.validation import gather_records, means


def test_every_image_has_the_same_weight() -> None:
    records = {"b": {"psnr": 30.0, "lpips": 0.5}, "a": {"psnr": 20.0, "lpips": 0.1}, "c": {"psnr": 25.0, "lpips": 0.3}}
    gathered = gather_records(records)
    assert list(gathered) == ["a", "b", "c"]
    assert means(gathered) == {"psnr": 25.0, "lpips": (0.1 + 0.5 + 0.3) / 3}


def test_each_set_has_separate_averages() -> None:
    records = {"a": {"psnr": 20.0}, "real/a": {"real/psnr": 30.0}, "b": {"psnr": 22.0}}
    assert means(records) == {"psnr": 21.0, "real/psnr": 30.0}


def test_no_images_give_no_averages() -> None:
    assert means(gather_records({})) == {}
