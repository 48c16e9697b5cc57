"""Remembered photographs are read once."""

from __future__ import annotations

from pathlib import Path

import torch

from dgsr.data import open_source
from dgsr.images import write_image


def test_photographs_are_read_once(tmp_path: Path) -> None:
    for index in range(2):
        write_image(tmp_path / f"{index}.png", torch.rand(3, 20, 24))
    kept, plain = (open_source(str(tmp_path), in_memory=in_memory) for in_memory in (True, False))
    before = [kept[index] for index in range(2)]
    assert all(torch.equal(image, plain[index]) for index, image in enumerate(before))
    assert kept.fingerprint() == plain.fingerprint()
    (tmp_path / "1.png").unlink()
    assert torch.equal(kept[1], before[1])
    assert (len(kept), kept.name(1), kept.peers(0)) == (2, "1.png", range(2))
