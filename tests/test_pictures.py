"""Test grids, galleries and curves."""

from __future__ import annotations

from pathlib import Path

import torch

from dgsr.pictures import curves, gallery, grid


def test_grid_places_images_in_rows_under_titles() -> None:
    small, large = torch.full((3, 8, 8), 0.25), torch.full((3, 32, 32), 0.75)
    picture = grid({"lq": [small, small], "hq": [large, large]}, gap_px=4)
    assert picture.shape == (3, 16 + 2 * 36, 2 * 36)
    assert (picture[:, 16:48, :32] == 0.25).all()  # enlarged to the size of its row
    assert (picture[:, 16:48, 36:68] == 0.75).all()
    assert (picture[:, 52:84, 36:68] == 0.75).all()
    assert (picture[:, :16] < 0.5).any()  # the titles


def test_rows_of_a_grid_may_differ_in_size() -> None:
    picture = grid({"sr": [torch.zeros(3, 8, 12), torch.zeros(3, 20, 10)]}, gap_px=0)
    assert picture.shape == (3, 16 + 8 + 20, 12)
    assert (picture[:, 30:, 10:] == 1).all()


def test_curves_are_written(tmp_path: Path) -> None:
    curves({"loss": [(1, 2.0), (2, 1.0)], "val/psnr": [(0, 20.0), (2, 22.0)]}, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_gallery_places_captions_below_images() -> None:
    small, large = torch.full((3, 100, 80), 0.25), torch.full((3, 300, 200), 0.75)
    picture = gallery([large, small, large], [["a"], ["b", "c"], ["d"]], gap_px=8)
    assert picture.shape == (3, 2 * (300 + 2 * 13 + 16), 2 * (256 + 8))
    assert (picture[:, :300, :200] == 0.75).all()
    assert (picture[:, :300, 264 : 264 + 240] == 0.25).all()  # enlarged three times
    assert (picture[:, 302:315, :20] < 0.5).any()
    assert (picture[:, 315:328, :20] == 1).all()
    assert (picture[:, 315:328, 264:] < 0.5).any()


def test_long_captions_are_wrapped() -> None:
    pictures = [torch.zeros(3, 256, 256)]
    one, three = (gallery(pictures, [["word " * count]]).shape[1] for count in (8, 24))
    assert three == one + 2 * 13
