"""Photographs are repeated under different names."""

from __future__ import annotations

import torch

from dgsr.data.repeated import RepeatedSource
from tests.small_run import RandomImages


def test_photographs_are_repeated_under_different_names() -> None:
    source = RandomImages(3)
    again = RepeatedSource(source, 2)
    assert len(again) == 6
    assert [again.name(index) for index in range(6)] == [
        *(f"image-{index}.png" for index in range(3)),
        *(f"image-{index}.png#1" for index in range(3)),
    ]
    assert torch.equal(again[4], source[1])
    assert again.peers(0) == range(6)
    assert again.fingerprint() != source.fingerprint()
