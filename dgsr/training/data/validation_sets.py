"""Validation sets: one without a name, and any number of named ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch.utils.data import ConcatDataset, Dataset, Subset

from dgsr.checks import expect
from dgsr.data import FixedPairs, PairedFolders, open_source
from dgsr.data.pairs import Pair
from dgsr.data.repeated import RepeatedSource
from dgsr.degradation import preset
from dgsr.training.data.degrading import Degrade
from dgsr.training.loop.validation import qualified


@dataclass(frozen=True)
class ValidationSet:
    """Photographs with fixed degradations, or real pairs.

    Args:
        root: The photographs, as `open_source` takes them.
        lq: Folder of degraded images, instead of `root`.
        hq: The corresponding sharp images.
        limit: Use only this many, from the start.
        crop_px: Side of the centre crop of photographs; None uses `data.val_crop_px`.
        degradation: Name of the preset that degrades the photographs; None degrades as in training.
        repeats: Number of degradations of each photograph.
    """

    root: str | Sequence[str | Mapping[str, Any]] | None = None
    lq: str | None = None
    hq: str | None = None
    limit: int | None = None
    crop_px: int | None = None
    degradation: str | None = None
    repeats: int = 1

    def open(self, degrade: Degrade, crop_px: int | None, seed: int, key: str) -> Dataset[Pair]:
        """Open the pairs; `key` is the set's key in the config.

        Raises:
            UserError: It is neither photographs nor pairs, or cannot be opened.
        """
        given = ", ".join(name for name in ("root", "lq", "hq") if getattr(self, name)) or "nothing"
        expected, remedy = f"either {key}.root, or {key}.lq and {key}.hq", "Set the others to null."
        expect(given in ("root", "lq, hq"), expected, given, remedy)
        for name in ("crop_px", "degradation", "repeats"):
            unused = not self.root and getattr(self, name) != getattr(ValidationSet, name)
            expect(not unused, f"{key}.{name} only beside {key}.root", given, "Leave it out.")
        expect(self.limit is None or self.limit > 0, f"{key}.limit above 0", self.limit)
        expect(self.repeats > 0, f"{key}.repeats above 0", self.repeats)
        scale = degrade.spec.scale
        if self.lq and self.hq:
            pairs: Any = PairedFolders(self.lq, self.hq, scale, key)
        else:
            assert self.root is not None
            side = self.crop_px or crop_px
            fits = side is None or (side > 0 and side % scale == 0)
            expect(fits, f"{key}.crop_px (or data.val_crop_px) as a multiple of the scale {scale}", side)
            own = Degrade(preset(self.degradation, scale=scale), degrade.backend) if self.degradation else degrade
            photographs = RepeatedSource(open_source(self.root, key=f"{key}.root"), self.repeats)
            pairs = FixedPairs(photographs, side, own, seed, scale)
        return pairs if self.limit is None else Subset(pairs, range(min(self.limit, len(pairs))))


def named_sets(**sets: ValidationSet | Mapping[str, Any]) -> dict[str, ValidationSet]:
    """Collect named sets, each a `ValidationSet` or a mapping of its arguments."""
    for name in sets:
        expect("/" not in name and name != "bicubic", "a name of a validation set", name, "Rename it in data.val_sets.")
    return {name: one if isinstance(one, ValidationSet) else ValidationSet(**one) for name, one in sets.items()}


class ValidationPairs(Dataset[Pair]):
    """The pairs of all sets, one set after the other; each pair has its set, also in its name.

    Args:
        sets: The pairs of each set by the set's name, which may be empty.
    """

    def __init__(self, sets: Mapping[str, Any]) -> None:
        expect(bool(sets), "at least one validation set", "none", "Set data.val or data.val_sets.")
        self.sets = tuple(sets)
        self._pairs: Dataset[Any] = ConcatDataset(sets.values())
        self._names = [name for name, pairs in sets.items() for _ in range(len(pairs))]

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int) -> Pair:
        pair, set_name = self._pairs[index], self._names[index]
        return pair | {"set": set_name, "name": qualified(set_name, pair["name"])}
