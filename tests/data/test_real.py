"""Crops of real pairs are aligned, and the seed of a sample decides whether it is real."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from dgsr.checks import UserError
from dgsr.data.opening import bundled
from dgsr.data.pairs import PairedFolders, SyntheticPairs, collate
from dgsr.data.real import RealPairs, WithRealPairs, open_real_pairs
from dgsr.images import write_image


@pytest.fixture
def folders(tmp_path: Path) -> PairedFolders:
    """Pairs whose high-quality image repeats each pixel of the other, which shows whether crops are aligned."""
    for index, (height, width) in enumerate([(9, 12), (8, 8), (20, 7), (10, 30)]):
        lq = torch.rand(3, height, width, generator=torch.Generator().manual_seed(index))
        write_image(tmp_path / "lq" / f"{index}.png", lq)
        write_image(tmp_path / "hq" / f"{index}.png", lq.repeat_interleave(4, 1).repeat_interleave(4, 2))
    return PairedFolders(tmp_path / "lq", tmp_path / "hq", scale=4)


def degrade(hq: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    return hq, hq[:, ::4, ::4], torch.rand(2)


def test_crops_are_aligned_and_all_large_enough_pairs_occur(folders: PairedFolders) -> None:
    real, names = RealPairs([folders], crop_px=32, fraction=1.0), set()
    for seed in range(60):
        sample = real.draw(seed)
        assert sample["hq"].shape == (3, 32, 32)
        assert torch.equal(sample["hq"], sample["lq"].repeat_interleave(4, 1).repeat_interleave(4, 2))
        assert torch.equal(sample["lq"], real.draw(seed)["lq"])
        assert (int(sample["seed"]), sample["broken"]) == (seed, [])
        assert sample["truth"].isnan().all()
        names.add(sample["name"])
    assert names == {"0.png", "1.png", "3.png"}


def test_the_fingerprint_depends_on_both_sides(folders: PairedFolders) -> None:
    fingerprints = []
    for side in (None, folders.lq, folders.hq):
        if side is not None:
            write_image(side.path(0), torch.rand(3, 50, 60))
        fingerprints.append(RealPairs([folders], 32, 1.0).fingerprint())
    assert len(set(fingerprints)) == 3


def test_half_are_flipped(folders: PairedFolders) -> None:
    flipping, keeping = (RealPairs([folders], 32, 1.0, flip=flip) for flip in (True, False))
    flipped = 0
    for seed in range(40):
        a, b = flipping.draw(seed)["hq"], keeping.draw(seed)["hq"]
        assert torch.equal(a, b) or torch.equal(a, b.flip(2))
        flipped += not torch.equal(a, b)
    assert 8 < flipped < 32


def test_broken_pairs_are_replaced_and_reported(folders: PairedFolders) -> None:
    folders.lq.path(0).write_bytes(b"no image")
    broken = [line for seed in range(30) for line in RealPairs([folders], 32, 1.0).draw(seed)["broken"]]
    assert broken
    assert all("0.png" in line for line in broken)


def test_a_fraction_is_real_and_other_samples_are_unchanged(folders: PairedFolders) -> None:
    synthetic = SyntheticPairs(bundled("val"), 32, degrade)
    mixed, count = WithRealPairs(synthetic, RealPairs([folders], 32, fraction=0.25)), 0
    for seed in range(400):
        sample = mixed[(seed % 9, seed)]
        real = bool(sample["truth"].isnan().all())
        assert real or torch.equal(sample["hq"], synthetic[(seed % 9, seed)]["hq"])
        count += real
    assert 70 < count < 130


def test_batches_mix_real_pairs_with_crops_to_be_degraded_later(folders: PairedFolders) -> None:
    mixed = WithRealPairs(SyntheticPairs(bundled("val"), 32, None), RealPairs([folders], 32, fraction=0.5))
    batch = collate([mixed[(0, seed)] for seed in range(12)])
    assert batch["hq"].shape == (12, 3, 32, 32)
    assert {type(lq) for lq in batch["lq"]} == {Tensor, type(None)}
    assert [lq is None for lq in batch["lq"]] == [truth is None for truth in batch["truth"]]


def test_pairs_in_one_folder(tmp_path: Path) -> None:
    for kind, side in (("LR4", 8), ("HR", 32)):
        write_image(tmp_path / f"Canon_001_{kind}.png", torch.rand(3, side, side))
    real = open_real_pairs(str(tmp_path), str(tmp_path), 1.0, crop_px=16, scale=4)
    assert real is not None
    assert real.draw(0)["name"] == "Canon_001_LR4.png"
    write_image(tmp_path / "mask.png", torch.rand(3, 8, 8))
    with pytest.raises(UserError, match=r"1 others mask\.png.*data\.real\.lq"):
        open_real_pairs(str(tmp_path), str(tmp_path), 1.0, crop_px=16, scale=4)


def test_configs_of_real_pairs(folders: PairedFolders) -> None:
    lq, hq = str(folders.lq.root), str(folders.hq.root)
    assert open_real_pairs(None, None, 0.0, crop_px=32, scale=4) is None
    one = open_real_pairs(lq, hq, 0.5, crop_px=32, scale=4)
    two = open_real_pairs([lq, lq], [hq, hq], 0.5, crop_px=32, scale=4)
    assert one is not None
    assert two is not None
    assert (one.length, two.length) == (4, 8)
    mistakes = {"1 and 0": (lq, None, 0.5), "0 and 0": (None, None, 0.5), "fraction above 0": (lq, hq, 0.0)}
    for message, wrong in mistakes.items():
        with pytest.raises(UserError, match=message):
            open_real_pairs(*wrong, crop_px=32, scale=4)
    with pytest.raises(UserError, match=r"data\.real\.fraction"):
        open_real_pairs(lq, hq, 1.5, crop_px=32, scale=4)
    with pytest.raises(UserError, match=r"data\.real\.lq"):
        open_real_pairs("nowhere", hq, 0.5, crop_px=32, scale=4)
