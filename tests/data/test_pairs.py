"""A sample is a function of its index and seed, in any process."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dgsr.checks import UserError
from dgsr.data.crops import center_crop
from dgsr.data.pairs import FixedPairs, LqFolder, Pair, PairedFolders, SyntheticPairs, collate
from dgsr.data.sources import FolderSource
from dgsr.data.stream import RankStream, SampleStream
from dgsr.degradation import preset
from dgsr.images import write_image
from dgsr.seeds import torch_generator
from dgsr.training.data.degrading import Degrade


def degrade(hq: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Take every fourth pixel and add a random value; the two random numbers are the truth."""
    noise = torch.rand(2, generator=torch_generator(seed, "noise"))
    return hq, hq[:, ::4, ::4] + noise[1] / 100, noise


def equal(a: Pair, b: Pair) -> bool:
    tensors = all(torch.equal(a[key], b[key]) for key in ("hq", "lq", "seed", "truth"))
    return tensors and a["name"] == b["name"] and a["broken"] == b["broken"]


@pytest.fixture
def photographs(tmp_path: Path) -> FolderSource:
    """Images of several sizes without repeated patterns."""
    for index, (height, width) in enumerate([(40, 50), (32, 32), (5, 90), (60, 33), (37, 41)]):
        ramp = torch.arange(3 * height * width).view(3, height, width) % 256 / 255
        write_image(tmp_path / "photographs" / ("b" if index % 2 else "a") / f"{index // 2}.png", ramp)
    return FolderSource(tmp_path / "photographs")


def test_a_sample_depends_on_index_and_seed_alone(photographs: FolderSource) -> None:
    first, second = SyntheticPairs(photographs, 32, degrade), SyntheticPairs(photographs, 32, degrade)
    second[(0, 5)]
    sample = first[(3, 77)]
    assert equal(sample, second[(3, 77)])
    assert not equal(sample, second[(3, 78)])
    assert sample["hq"].shape == (3, 32, 32)
    assert sample["lq"].shape == (3, 8, 8)
    assert int(sample["seed"]) == 77
    assert sample["seed"].dtype == torch.int64
    assert sample["name"] == "b/0.png"


def test_the_largest_seed_fits(photographs: FolderSource) -> None:
    assert int(SyntheticPairs(photographs, 32, degrade)[(0, 2**63 - 1)]["seed"]) == 2**63 - 1


def test_crops_are_flipped_only_if_requested(photographs: FolderSource) -> None:
    flipping, keeping = SyntheticPairs(photographs, 32, degrade), SyntheticPairs(photographs, 32, degrade, flip=False)
    flipped = 0
    for seed in range(40):
        a, b = flipping[(0, seed)]["hq"], keeping[(0, seed)]["hq"]
        assert torch.equal(a, b) or torch.equal(a, b.flip(2))
        flipped += not torch.equal(a, b)
    assert 8 < flipped < 32


def test_a_broken_photograph_is_replaced_and_reported(photographs: FolderSource) -> None:
    photographs.path(1).write_bytes(b"no image")
    sample = SyntheticPairs(photographs, 32, degrade)[(1, 3)]
    assert sample["name"] != photographs.name(1)
    assert str(photographs.path(1)) in sample["broken"][0]
    assert equal(sample, SyntheticPairs(photographs, 32, degrade)[(1, 3)])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_do_not_depend_on_workers(num_workers: int, photographs: FolderSource) -> None:
    photographs.path(1).write_bytes(b"no image")
    pairs, stream = SyntheticPairs(photographs, 32, degrade), SampleStream(len(photographs), 0)
    loader = DataLoader(pairs, batch_sampler=RankStream(stream, 4, 0, 1), num_workers=num_workers, collate_fn=collate)
    batches = [batch for batch, _ in zip(loader, range(3), strict=False)]
    samples = [pairs[stream[position]] for position in range(12)]
    for batch, start in zip(batches, range(0, 12, 4), strict=True):
        assert batch["hq"].shape == (4, 3, 32, 32)
        for key in ("hq", "lq", "seed", "truth"):
            assert torch.equal(batch[key], torch.stack([sample[key] for sample in samples[start : start + 4]]))
        assert batch["name"] == [sample["name"] for sample in samples[start : start + 4]]
        assert batch["broken"] == [line for sample in samples[start : start + 4] for line in sample["broken"]]
    assert sum(len(batch["broken"]) for batch in batches) >= 2


def test_fixed_pairs_never_change(photographs: FolderSource, tmp_path: Path) -> None:
    pairs = FixedPairs(photographs, 32, degrade, seed=0, multiple=4)
    assert len(pairs) == len(photographs)
    assert equal(pairs[2], FixedPairs(photographs, 32, degrade, seed=0, multiple=4)[2])
    assert not equal(pairs[2], FixedPairs(photographs, 32, degrade, seed=1, multiple=4)[2])
    for image in (pairs[2]["hq"], pairs[2]["lq"]):  # as if read from files
        assert torch.equal(image, (image * 255).round() / 255)
    before = {pair["name"]: pair for pair in (pairs[index] for index in range(len(pairs)))}
    assert len(before) == len(pairs)
    write_image(photographs.root / "a" / "00.png", torch.zeros(3, 40, 40))  # a new image between the others
    moved = FixedPairs(FolderSource(photographs.root), 32, degrade, seed=0, multiple=4)
    after = {pair["name"]: pair for pair in (moved[index] for index in range(len(moved)))}
    assert all(equal(pair, after[name]) for name, pair in before.items())


def test_fixed_pairs_compare_with_the_photograph_itself(photographs: FolderSource) -> None:
    sharpening = Degrade(preset("real_esrgan"))
    sample = FixedPairs(photographs, 32, sharpening, seed=0, multiple=4)[0]
    photograph = center_crop(photographs[0], 32, 32).contiguous()
    torch.testing.assert_close(sample["hq"], photograph, atol=1e-6, rtol=0)
    assert (sharpening(photograph, 0)[0] - photograph).abs().max() > 0.01


def test_uncropped_fixed_pairs_are_cropped_to_a_multiple(photographs: FolderSource) -> None:
    pairs = FixedPairs(photographs, None, degrade, seed=0, multiple=8)
    assert [tuple(pairs[i]["hq"].shape[1:]) for i in range(5)] == [(40, 48), (8, 88), (32, 40), (32, 32), (56, 32)]
    assert torch.equal(pairs[2]["hq"], photographs[2][:, 2:34, 0:40])


def test_smaller_photographs_are_kept_or_padded_by_reflection(photographs: FolderSource) -> None:
    pairs = FixedPairs(photographs, 40, degrade, seed=0, multiple=8)
    assert [tuple(pairs[i]["hq"].shape[1:]) for i in range(5)] == [(40, 40), (8, 40), (32, 40), (32, 32), (40, 32)]
    pairs = FixedPairs(photographs, 40, degrade, seed=0, multiple=8, reflected=True)
    assert {tuple(pairs[i]["hq"].shape[1:]) for i in range(5)} == {(40, 40)}


def test_a_photograph_that_is_too_small_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "small.png", torch.rand(3, 20, 40))
    pairs = FixedPairs(FolderSource(tmp_path), None, Degrade(preset("s3diff")), 0, 4)
    with pytest.raises(UserError, match=r"small\.png: Expected images of at least 32x32 pixels, but got 40x20"):
        pairs[0]


def test_a_broken_validation_photograph_is_an_error(photographs: FolderSource) -> None:
    photographs.path(0).write_bytes(b"no image")
    with pytest.raises(UserError, match=r"0\.png"):
        FixedPairs(photographs, 32, degrade, seed=0, multiple=4)[0]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for index in range(3):
        write_image(tmp_path / "lq" / f"{index}.jpg", torch.full((3, 5, 6), index / 10))
        write_image(tmp_path / "hq" / f"{index}.png", torch.full((3, 10, 12), index / 10))
    return tmp_path / "lq", tmp_path / "hq"


def test_paired_folders_match_names(folders: tuple[Path, Path]) -> None:
    pairs = PairedFolders(*folders, scale=2)
    assert [pairs[index]["name"] for index in range(len(pairs))] == ["0.jpg", "1.jpg", "2.jpg"]
    torch.testing.assert_close(pairs[2]["hq"].mean(), pairs[2]["lq"].mean(), atol=0.01, rtol=0)
    assert pairs[2]["truth"].isnan().all()
    assert collate([pairs[0], pairs[1]])["lq"].shape == (2, 3, 5, 6)


def test_both_sides_may_be_in_one_folder(tmp_path: Path) -> None:
    for name in ("Canon_001", "Canon_002"):
        write_image(tmp_path / "realsr" / f"{name}_LR2.png", torch.zeros(3, 5, 6))
        write_image(tmp_path / "realsr" / f"{name}_HR.png", torch.zeros(3, 10, 12))
    (tmp_path / "link").symlink_to(tmp_path / "realsr")
    pairs = PairedFolders(tmp_path / "realsr", tmp_path / "link", scale=2)
    assert [pairs[index]["name"] for index in range(len(pairs))] == ["Canon_001_LR2.png", "Canon_002_LR2.png"]
    assert pairs[1]["hq"].shape == (3, 10, 12)
    (tmp_path / "realsr" / "Canon_001_HR.png").unlink()
    with pytest.raises(UserError, match=r"Canon_001 \(1 without a partner\).* in [^ ]*realsr\.$"):
        PairedFolders(tmp_path / "realsr", tmp_path / "realsr", scale=2)


def test_sizes_that_do_not_fit_the_scale_are_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"4 times as large as low-quality ones.*0\.png of 12x10 for 0\.jpg of 6x5"):
        PairedFolders(*folders, scale=4)[0]


def test_missing_folders_are_refused_by_their_key(folders: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.eval\.hq"):
        PairedFolders(folders[0], tmp_path / "nowhere", scale=2)
    with pytest.raises(UserError, match=r"data\.eval\.lq"):
        LqFolder(tmp_path / "nowhere")


def test_images_without_references(folders: tuple[Path, Path]) -> None:
    images = LqFolder(folders[0])
    assert len(images) == 3
    assert images[1]["name"] == "1.jpg"
    assert collate([images[0], images[1]])["lq"].shape == (2, 3, 5, 6)
