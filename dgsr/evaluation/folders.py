"""Restored images that lie in a folder, with those that belong to them in others."""

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
    """Samples whose images belong together by their names in several folders (`dgsr.data.matched`).

    They are called as the restored images are.

    Args:
        roots: Folders by role: `sr` (restored images), and any of `hq` (true), `lq` (degraded), `against` (another
            method's).

    Raises:
        UserError: A folder is missing or empty, or an image has no partner, or several.
    """

    def __init__(self, roots: Mapping[str, Path]) -> None:
        sources = {role: FolderSource(root, key=f"--{role}") for role, root in roots.items()}
        self._files = {role: _partners(sources["sr"], source) for role, source in sources.items()}
        self.names = list(self._files["sr"])

    def __getitem__(self, name: str) -> Sample:
        """Read the images of one name; `lq` may have any size, the others must have that of `sr`.

        Raises:
            UserError: One cannot be read, or has another size.
        """
        limits = {"sr": ANY_SIZE, "against": ANY_SIZE}  # which a program has made
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
