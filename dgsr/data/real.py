"""Replace some synthetic training samples by aligned crops of real pairs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from torch.utils.data import ConcatDataset, Dataset

from dgsr.checks import expect
from dgsr.data.broken import read_or_replace
from dgsr.data.crops import random_crop_of_pair, random_flip
from dgsr.data.pairs import UNKNOWN, Pair, PairedFolders, pair_of
from dgsr.data.sources import expect_sides
from dgsr.seeds import rng


class RealPairs(Dataset[Pair]):
    """Random crops of real pairs; a pure function of the seed.

    Args:
        folders: The pairs.
        crop_px: Side of the crop of the high-quality image.
        fraction: Share of real pairs among the training samples.
        flip: Flip half of the crops horizontally.
    """

    def __init__(self, folders: Sequence[PairedFolders], crop_px: int, fraction: float, flip: bool = True) -> None:
        expect(0 < fraction <= 1, "data.real.fraction within 0 and 1", fraction)
        self.folders = folders
        self.pairs: Dataset[Pair] = ConcatDataset(folders)
        self.length = sum(map(len, folders))
        self.crop_px, self.fraction, self.flip = crop_px, fraction, flip

    def takes(self, seed: int) -> bool:
        """Return whether the sample of this seed is a real pair."""
        return bool(rng(seed, "real").random() < self.fraction)

    def draw(self, seed: int) -> Pair:
        """Return the sample of a seed; its true blur and noise are unknown."""
        index = int(rng(seed, "real pair").integers(self.length))
        pair, _, broken = read_or_replace(self, index, seed)
        lq, hq = random_crop_of_pair(pair["lq"], pair["hq"], self.crop_px, seed)
        if self.flip:
            lq, hq = random_flip(lq, seed), random_flip(hq, seed)
        return pair_of(hq.contiguous(), lq.contiguous(), seed, UNKNOWN, pair["name"], broken)

    def __getitem__(self, index: int) -> Pair:
        """Read a whole pair.

        Raises:
            UnfitError: It is smaller than the crop.
            UserError: It cannot be read.
        """
        pair = self.pairs[index]
        expect_sides(pair["hq"], self.crop_px, pair["name"])
        return pair

    def peers(self, index: int) -> range:
        """Return all indices."""
        return range(self.length)

    def fingerprint(self) -> str:
        """Return a hash that changes when the images do."""
        sources = (source for pair in self.folders for source in (pair.lq, pair.hq))
        return hashlib.sha256(" ".join(source.fingerprint() for source in sources).encode()).hexdigest()


class WithRealPairs(Dataset[Pair]):
    """Synthetic samples, some of them replaced by real pairs, as the seed of each sample decides.

    Args:
        synthetic: The dataset of synthetic samples, indexed by (index, seed).
        real: The real pairs.
    """

    def __init__(self, synthetic: Dataset[Pair], real: RealPairs) -> None:
        self.synthetic, self.real = synthetic, real

    def __getitem__(self, drawn: tuple[int, int]) -> Pair:
        seed = drawn[1]
        # torch types indices as integers; a stream yields (index, seed).
        return self.real.draw(seed) if self.real.takes(seed) else self.synthetic[drawn]  # type: ignore[index]


def open_real_pairs(
    lq: str | Sequence[str] | None,
    hq: str | Sequence[str] | None,
    fraction: float,
    crop_px: int,
    scale: int,
    key: str = "data.real",
) -> RealPairs | None:
    """Open one or several pairs of folders; return None if the fraction is 0.

    Raises:
        UserError: Folders are missing or do not match.
    """
    lq_folders, hq_folders = ([folder] if isinstance(folder, str) else list(folder or ()) for folder in (lq, hq))
    if fraction == 0:
        expect(not lq_folders and not hq_folders, f"{key}.fraction above 0 with {key}.lq and {key}.hq", fraction)
        return None
    same = len(lq_folders) == len(hq_folders) > 0
    expect(same, f"as many folders in {key}.lq as in {key}.hq", f"{len(lq_folders)} and {len(hq_folders)}")
    folders = [PairedFolders(*pair, scale, key) for pair in zip(lq_folders, hq_folders, strict=True)]
    return RealPairs(folders, crop_px, fraction)
