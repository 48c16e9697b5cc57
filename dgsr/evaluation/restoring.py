"""Restored images that a model makes as they are asked for, each once: what lies in the folder is not made again.

What they were made of lies beside them, so that an image which has changed since is restored anew.
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

#: What an evaluation writes, and nothing else may lie there before its first.
_RESULTS = ("sr", "lq", "hq", "metrics.csv", "metrics.json", "report.html")


@runtime_checkable
class Degraded(Protocol):
    """Degraded images by index: `lq`, and `hq` where it is known; data.pairs has several."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Mapping[str, Any]: ...

    def name(self, index: int) -> str:
        """Return what the sample is called, without reading it."""
        ...


class Restoring:
    """Samples whose restored images come from a model, or from the folder that an earlier call filled.

    Args:
        degraded: What is restored.
        upscaler: Degraded image to restored image, both in [0, 1].
        folder: Of the restored images (`sr`), and of the degraded ones that they were made of (`lq`).
        keep: Further images of the samples that are written beside them, in folders of these names.
        device: Where the degraded image is brought.

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
            expect(times == 1, "every image once", f"{times} times {file}", "Take the repeated lines out of the list.")
        self._indices = {name: index for index, name in enumerate(bare_names(files))}
        self.names = list(self._indices)

    def __getitem__(self, name: str) -> Sample:
        """Return a sample; its restored image is made if it has not been yet of the degraded image as it is now.

        Raises:
            UserError: The degraded or the true image cannot be read, or the restored one does not fit into memory.
        """
        sample = self.degraded[self._indices[name]]
        files = {role: self.folder / role / f"{name}.png" for role in ("sr", *self.kept)}
        sr = _kept(files["sr"]) if _shows(files["lq"], sample["lq"]) else None
        if sr is None:
            files["sr"].unlink(missing_ok=True)  # first: nothing shall lie beside what it was not made of
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
    folder: Path, settings: Mapping[str, object], anew: bool = False, another: str = "paths.run=…"
) -> None:
    """Write down what a folder's images depend on, or compare with what is written there.

    Args:
        folder: The folder.
        settings: By name.
        anew: Take the folder as it is: all images are going to be made again.
        another: How the program is told of another folder.

    Raises:
        UserError: The folder holds images of other settings, or files of something else.
    """
    file, now = folder / "settings.json", json.dumps(settings, indent=2)
    folder.mkdir(parents=True, exist_ok=True)
    if anew or not file.exists():
        others = [name for name in _RESULTS if (folder / name).exists()]
        what, got = "a folder without results of something else", f"{folder} with {', '.join(others)}"
        expect(anew or not others, what, got, f"Name another one: {another}.")
        file.write_text(now + "\n", encoding="utf-8")
    before, now = read_record(file, f"It is damaged: take another folder, {another}, or remove it."), json.loads(now)
    changed = [f"{key}={now[key]} instead of {before.get(key)}" for key in now if now[key] != before.get(key)]
    remedy = f"Use these again, or another folder: {another}."
    expect(not changed, f"the settings that the images in {folder} were made with", ", ".join(changed), remedy)


def _shows(file: Path, image: Image) -> bool:
    """Tell whether a file holds an image, but for its rounding."""
    written = _kept(file)
    if written is None or written.shape != image.shape:
        return False
    return bool((written - image.cpu()).abs().max() < _ROUNDED)


def _kept(file: Path) -> Image | None:
    """Read what an earlier call has written, unless it is not there or damaged."""
    try:
        return read_image(file, ANY_SIZE)
    except UserError:
        return None
