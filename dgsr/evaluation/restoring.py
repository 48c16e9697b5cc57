"""Restore images on first access and cache them in a folder.

The degraded images are saved with them, so that an image that has changed since is restored again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from dgsr.checks import UserError, expect, read_record
from dgsr.data.names import bare_names
from dgsr.evaluation.runner import Sample
from dgsr.images import read_image, write_image
from dgsr.rasters import ANY_SIZE
from dgsr.types import Image

_ROUNDED = 0.51 / 255

#: Outputs of an evaluation; a folder that has any of them but no settings belongs to something else.
_RESULTS = ("sr", "lq", "hq", "metrics.csv", "metrics.json", "report.html")


@runtime_checkable
class Degraded(Protocol):
    """Degraded images by index, each with `lq` and optionally `hq`; see `dgsr.data.pairs`."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Mapping[str, Any]: ...

    def name(self, index: int) -> str:
        """Return the sample's name without reading the sample."""
        ...


class Restoring:
    """Samples restored by a model, or read from the folder if an earlier call has restored them.

    Args:
        degraded: The images to restore.
        upscaler: Maps a degraded image to a restored image, both in [0, 1].
        folder: Where restored images (`sr`) and their inputs (`lq`) are cached, in subfolders.
        keep: Further images of each sample to save, in subfolders of these names.
        device: Device to which the degraded image is moved.

    Raises:
        UserError: An image is listed more than once.
    """

    def __init__(
        self,
        degraded: Degraded,
        upscaler: Callable[[Image], Image],
        folder: Path,
        keep: tuple[str, ...] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        self.degraded, self.upscaler, self.folder, self.device = degraded, upscaler, folder, device
        self.kept = ("lq", *keep)
        files = [degraded.name(index) for index in range(len(degraded))]
        for file, times in Counter(files).items():
            expect(times == 1, "every image once", f"{times} times {file}", "Remove the repeated lines from the list.")
        self._indices = {name: index for index, name in enumerate(bare_names(files))}
        self.names = list(self._indices)

    def __getitem__(self, name: str) -> Sample:
        """Return a sample; restore it unless the cache holds the result for the same degraded image.

        Raises:
            UserError: The degraded image or the ground truth cannot be read, or the result does not fit into memory.
        """
        sample = self.degraded[self._indices[name]]
        files = {role: self.folder / role / f"{name}.png" for role in ("sr", *self.kept)}
        sr = _read_if_intact(files["sr"]) if _holds(files["lq"], sample["lq"]) else None
        if sr is None:
            files["sr"].unlink(missing_ok=True)  # first, so that an interruption leaves no result next to another input
            for role in self.kept:
                write_image(files[role], sample[role])
            write_image(files["sr"], self._restored(name, sample["lq"]))
            sr = read_image(files["sr"], ANY_SIZE)
        images = {role: sample[role] for role in ("lq", "hq") if role in sample}
        return {"name": name, "sr": sr, **images}

    @torch.no_grad()
    def _restored(self, name: str, lq: Image) -> Float[Tensor, "3 H W"]:
        try:
            return self.upscaler(lq.to(self.device))
        except UserError as error:
            raise UserError(f"{name}: {error}") from error


def expect_same_settings(
    folder: Path, settings: Mapping[str, object], overwrite: bool = False, folder_option: str = "paths.run=…"
) -> None:
    """Write the settings of a folder's images, or compare them with those of an earlier call.

    Args:
        folder: The output folder.
        settings: Everything that the images depend on, by name.
        overwrite: Accept a folder with other settings or results, because all images will be written again.
        folder_option: Option that selects another folder, for error messages.

    Raises:
        UserError: The folder holds images of other settings, or results of something else.
    """
    file, text = folder / "settings.json", json.dumps(settings, indent=2)
    folder.mkdir(parents=True, exist_ok=True)
    if overwrite or not file.exists():
        others = [name for name in _RESULTS if (folder / name).exists()]
        got, remedy = f"{folder} with {', '.join(others)}", f"Choose another folder: {folder_option}."
        expect(overwrite or not others, "a folder without other results", got, remedy)
        file.write_text(text + "\n", encoding="utf-8")
    saved = read_record(file, f"It is damaged: choose another folder, {folder_option}, or remove it.")
    now = json.loads(text)
    changed = [f"{key}={now[key]} instead of {saved.get(key)}" for key in now if now[key] != saved.get(key)]
    remedy = f"Use the earlier settings, or another folder: {folder_option}."
    expect(not changed, f"the settings of the images in {folder}", ", ".join(changed), remedy)


def _holds(file: Path, image: Image) -> bool:
    """Return whether a file holds the image, up to rounding."""
    written = _read_if_intact(file)
    if written is None or written.shape != image.shape:
        return False
    return bool((written - image.cpu()).abs().max() < _ROUNDED)


def _read_if_intact(file: Path) -> Image | None:
    """Read an image that an earlier call wrote; return None if it is missing or damaged."""
    try:
        return read_image(file, ANY_SIZE)
    except UserError:
        return None
