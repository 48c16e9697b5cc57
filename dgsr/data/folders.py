"""Images that are degraded already: folders with or without sharp references."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.utils.data import Dataset

from dgsr.checks import expect
from dgsr.data.pairs import Sample, as_sample
from dgsr.data.sources import FolderSource

_SHOWN = 5


class PairedFolders(Dataset[Sample]):
    """Degraded images and their references, matched by file name without its ending.

    Raises:
        UserError: A folder is missing or empty, or an image has no partner; the message names it.
    """

    def __init__(self, lq: Path | str, hq: Path | str, scale: int) -> None:
        self.lq = FolderSource(lq, recursive=False, key="data.eval.lq")
        self.hq = FolderSource(hq, recursive=False, key="data.eval.hq")
        self.scale = scale
        lq_index, hq_index = _by_stem(self.lq), _by_stem(self.hq)
        alone = sorted(lq_index.keys() ^ hq_index.keys())
        shown = ", ".join(alone[:_SHOWN]) + (", ..." if len(alone) > _SHOWN else "")
        what = f"the same image names in {lq} and {hq}"
        expect(not alone, what, f"{len(alone)} without a partner: {shown}", "Add or remove them.")
        self._indices = [(lq_index[stem], hq_index[stem]) for stem in sorted(lq_index)]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Sample:
        lq_index, hq_index = self._indices[index]
        lq, hq = self.lq[lq_index], self.hq[hq_index]
        wanted, got = [self.scale * side for side in lq.shape[1:]], list(hq.shape[1:])
        what = f"a reference of {wanted[0]}x{wanted[1]} pixels for scale {self.scale}"
        expect(
            wanted == got, what, f"{self.hq.path(hq_index)} of {got[0]}x{got[1]}", "Check the folders and the scale."
        )
        return as_sample(hq, lq, index, torch.full((2,), torch.nan), self.hq.name(hq_index), [])


def _by_stem(source: FolderSource) -> dict[str, int]:
    stems = {Path(source.name(index)).stem: index for index in range(len(source))}
    expect(len(stems) == len(source), "one image a name", f"several in {source.root}", "Keep one format of each.")
    return stems


class LqFolder(Dataset[Sample]):
    """Degraded images without references: samples of `lq` and `name` alone."""

    def __init__(self, lq: Path | str) -> None:
        self.lq = FolderSource(lq, key="data.eval.lq")

    def __len__(self) -> int:
        return len(self.lq)

    def __getitem__(self, index: int) -> Sample:
        return {"lq": self.lq[index], "name": self.lq.name(index)}
