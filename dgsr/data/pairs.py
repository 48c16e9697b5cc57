"""Pairs of a low-quality and a high-quality image: drawn, fixed, or read from two folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from dgsr.checks import UserError, expect
from dgsr.data.broken import read_or_replace
from dgsr.data.crops import center_crop, random_crop, random_flip
from dgsr.data.matching import matched, split_by_suffix
from dgsr.data.sources import FolderSource, Source
from dgsr.images import from_pixels, to_pixels
from dgsr.seeds import rng
from dgsr.types import Image

#: Maps (photograph, seed) to (training target, low-quality image, true blur and noise).
Degrader = Callable[[Image, int], tuple[Image, Image, Tensor]]

#: Images hq and lq in [0, 1], seed, true (blur, noise), name, and one sentence per broken file.
Pair = dict[str, Any]

#: Blur and noise of a low-quality image without a recipe.
UNKNOWN = torch.full((2,), torch.nan)


class SyntheticPairs(Dataset[Pair]):
    """Random crops of photographs with a random degradation; a pure function of (index, seed).

    Args:
        source: The photographs.
        crop_px: Side of the crop.
        degrade: Makes the low-quality image; None leaves out `lq` and `truth`, which are then made later.
        flip: Flip half of the crops horizontally.
    """

    def __init__(self, source: Source, crop_px: int, degrade: Degrader | None, flip: bool = True) -> None:
        self.source, self.crop_px, self.degrade, self.flip = source, crop_px, degrade, flip

    def __getitem__(self, drawn: tuple[int, int]) -> Pair:
        """Return the sample of an (index, seed)."""
        index, seed = drawn
        photograph, index, broken = read_or_replace(self.source, index, seed)
        crop = random_crop(photograph, self.crop_px, seed)
        hq = (random_flip(crop, seed) if self.flip else crop).contiguous()
        if self.degrade is None:
            return {"hq": hq, "seed": torch.tensor(seed), "name": self.source.name(index), "broken": broken}
        hq, lq, truth = self.degrade(hq, seed)
        return pair_of(hq, lq, seed, truth, self.source.name(index), broken)


class FixedPairs(Dataset[Pair]):
    """Photographs with fixed degradations, so that metrics are comparable across runs; 8 bits per channel.

    `hq` is the photograph itself, even if the degradation sharpens training targets.

    Args:
        source: The photographs.
        crop_px: Largest side of the centre crop; None keeps the photograph.
        degrade: Makes the low-quality image.
        seed: Seed of all degradations, together with the name of each file.
        multiple: Sides are cropped to multiples of this.
        reflected: Pad smaller photographs to `crop_px` by reflection, so that all samples have one size.
    """

    def __init__(
        self,
        source: Source,
        crop_px: int | None,
        degrade: Degrader,
        seed: int,
        multiple: int,
        reflected: bool = False,
    ) -> None:
        self.source, self.crop_px, self.degrade = source, crop_px, degrade
        self.seed, self.multiple, self.reflected = seed, multiple, reflected

    def __len__(self) -> int:
        return len(self.source)

    def name(self, index: int) -> str:
        """Return the name of the sample without reading it."""
        return self.source.name(index)

    def __getitem__(self, index: int) -> Pair:
        photograph, name = self.source[index], self.source.name(index)
        height, width = map(self._cropped, photograph.shape[1:])
        seed = int(rng(self.seed, f"fixed {name}").integers(2**63))
        hq = center_crop(photograph, height, width).contiguous()
        try:
            _, lq, truth = self.degrade(hq, seed)
        except UserError as error:
            raise UserError(f"{name}: {error}") from error
        hq, lq = (from_pixels(to_pixels(image, torch.uint8)) for image in (hq, lq))  # as if read from files
        return pair_of(hq, lq, seed, truth, name, [])

    def _cropped(self, side: int) -> int:
        whole = max(1, side // self.multiple) * self.multiple
        if self.crop_px is None:
            return whole
        return self.crop_px if self.reflected else min(self.crop_px, whole)


class PairedFolders(Dataset[Pair]):
    """Real pairs from two folders whose files are matched by name, see `matched`.

    Args:
        lq: Folder of low-quality images.
        hq: Folder of high-quality images, `scale` times as large; may be the same folder, see `split_by_suffix`.
        scale: Ratio of the sides of `hq` and `lq`.
        key: The config node that errors name.

    Raises:
        UserError: A folder is missing or empty, or an image has no partner or several.
    """

    def __init__(self, lq: str | Path, hq: str | Path, scale: int, key: str = "data.eval") -> None:
        self.lq, self.hq = FolderSource(lq, key=f"{key}.lq"), FolderSource(hq, key=f"{key}.hq")
        if self.lq.root.resolve() == self.hq.root.resolve():
            self.lq, self.hq = split_by_suffix(self.lq, key)
        self.scale = scale
        self._indices = matched(self.lq, self.hq)

    def __len__(self) -> int:
        return len(self._indices)

    def name(self, index: int) -> str:
        """Return the name of the sample without reading it."""
        return self.lq.name(self._indices[index][0])

    def __getitem__(self, index: int) -> Pair:
        lq_index, hq_index = self._indices[index]
        lq, hq = self.lq[lq_index], self.hq[hq_index]
        name, hq_name = self.lq.name(lq_index), self.hq.name(hq_index)
        expected = (3, lq.shape[1] * self.scale, lq.shape[2] * self.scale)
        got = f"{hq_name} of {hq.shape[2]}x{hq.shape[1]} for {name} of {lq.shape[2]}x{lq.shape[1]}"
        expect(hq.shape == expected, f"high-quality images {self.scale} times as large as low-quality ones", got)
        return pair_of(hq, lq, index, UNKNOWN, name, [])


class LqFolder(Dataset[Pair]):
    """Low-quality images without high-quality ones."""

    def __init__(self, lq: str | Path) -> None:
        self.source = FolderSource(lq, key="data.eval.lq")

    def __len__(self) -> int:
        return len(self.source)

    def name(self, index: int) -> str:
        """Return the name of the sample without reading it."""
        return self.source.name(index)

    def __getitem__(self, index: int) -> Pair:
        return {"lq": self.source[index], "name": self.source.name(index), "broken": []}


def pair_of(
    hq: Image, lq: Float[Tensor, "3 lq_h lq_w"], seed: int, truth: Float[Tensor, "2"], name: str, broken: list[str]
) -> Pair:
    """Return a sample as a dictionary."""
    return {"hq": hq, "lq": lq, "seed": torch.tensor(seed), "truth": truth, "name": name, "broken": broken}


def collate(pairs: Sequence[Pair]) -> Pair:
    """Stack tensors; keep other values, and values that only some pairs have, as lists (None if a pair has none)."""
    columns = {key: [pair.get(key) for pair in pairs] for key in dict.fromkeys(key for pair in pairs for key in pair)}
    whole = {key for key, values in columns.items() if all(isinstance(value, Tensor) for value in values)}
    batch = {key: default_collate(values) if key in whole else values for key, values in columns.items()}
    return batch | {"broken": [sentence for pair in pairs for sentence in pair["broken"]]}
