"""Read restored images from a folder, with their references from other folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dgsr.checks import expect
from dgsr.data import FolderSource, matched
from dgsr.evaluation.runner import Sample
from dgsr.images import read_image
from dgsr.rasters import ANY_SIZE
from dgsr.types import Image


class RestoredFolder:
    """Samples read from one folder per role; images are paired by file name (`dgsr.data.matched`).

    A sample has the name of its restored image.

    Args:
        roots: Folders by role: `sr` (restored), and optionally `hq` (ground truth), `lq` (degraded) and `against`
            (restored by another method).

    Raises:
        UserError: A folder is missing or empty, or an image does not have exactly one partner.
    """

    def __init__(self, roots: Mapping[str, Path]) -> None:
        sources = {role: FolderSource(root, key=f"--{role}") for role, root in roots.items()}
        self._files = {role: _partners(sources["sr"], source) for role, source in sources.items()}
        self.names = list(self._files["sr"])

    def __getitem__(self, name: str) -> Sample:
        """Read one sample; all images except `lq` must have the size of `sr`.

        Raises:
            UserError: An image cannot be read, or has another size.
        """
        limits = {"sr": ANY_SIZE, "against": ANY_SIZE}  # outputs of a program, not files from strangers
        images = {role: read_image(files[name], limits.get(role)) for role, files in self._files.items()}
        for role, image in images.items():
            fits = role == "lq" or image.shape == images["sr"].shape
            expect(fits, f"{self._files[role][name]} of {_px(images['sr'])} as in sr", _px(image))
        return {"name": name, **images}


def _partners(sr: FolderSource, others: FolderSource) -> dict[str, Path]:
    pairs = matched(sr, others)
    return {Path(sr.name(index)).with_suffix("").as_posix(): others.path(partner) for index, partner in pairs}


def _px(image: Image) -> str:
    return f"{image.shape[2]}x{image.shape[1]}"
