"""Upscale files one after the other; an error in one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from dgsr.checks import UserError
from dgsr.inference.memory import available_bytes, choose_tile, expect_room, needed_bytes
from dgsr.inference.rasters import upscale_raster, upscale_rasters
from dgsr.inference.scores import GivenScores, resolve_scores
from dgsr.inference.upscaler import Upscaler
from dgsr.ops.resizing import enlarged
from dgsr.rasters import Raster, expect_ending, read_raster, write_raster
from dgsr.types import Scores


@dataclass(frozen=True)
class Job:
    """A file to upscale, and the one to write."""

    source: Path
    target: Path


@dataclass(frozen=True)
class FileUpscaling:
    """Settings for upscaling files, and the loop over them.

    Args:
        upscaler: Upscales; `tile` replaces its own.
        tile: Side of the tiles in px, 0 for none, `auto` for the largest that free memory allows.
        batch: Largest number of untiled neighbours of equal size to process together.
        limit: Bytes of memory that may be used; None uses what is free.
        given_scores: Blur and noise that replace the estimator's.
        on_scores: Called with the blur and noise of every picture before it is upscaled.
    """

    upscaler: Upscaler
    tile: int | Literal["auto"] = "auto"
    batch: int = 1
    limit: int | None = None
    given_scores: GivenScores = (None, None)
    on_scores: Callable[[float, float], object] = lambda blur, noise: None

    def __post_init__(self) -> None:
        """Refuse an unusable tile before any work is done."""
        if self.tile != "auto":
            self.upscaler.at(tile=self.tile)

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, UserError | None]]:
        """Yield every job in order, when it is done or has failed."""
        waiting: list[tuple[Job, Raster]] = []
        for job in jobs:
            try:
                raster = read_raster(job.source)
                expect_ending(job.target, raster)  # before any work is done
            except UserError as error:
                yield from self._finish(waiting)
                waiting = []
                yield job, error
                continue
            if waiting and (len(waiting) == self.batch or raster.size != waiting[0][1].size):
                yield from self._finish(waiting)
                waiting = []
            waiting.append((job, raster))
        yield from self._finish(waiting)

    def alone(self, raster: Raster, name: str) -> Raster:
        """Upscale one picture.

        Args:
            raster: The picture.
            name: Its name in errors.

        Raises:
            UserError: It does not fit into memory.
        """
        height, width = self._size(raster)
        upscaler, needed, room = self._plan(raster)
        with expect_room(needed, room, f"{name}, whose {width}x{height} px"):
            return upscale_raster(upscaler, raster, self._scores(raster))

    def _finish(self, waiting: list[tuple[Job, Raster]]) -> Iterator[tuple[Job, UserError | None]]:
        """Upscale pictures of one size as a batch if there is room for that, or else one by one."""
        outs = self._together([raster for _, raster in waiting]) if len(waiting) > 1 else []
        if outs:
            yield from ((job, _write(job, out)) for (job, _), out in zip(waiting, outs, strict=True))
            return
        for job, raster in waiting:
            try:
                out = self.alone(raster, str(job.source))
            except UserError as error:
                yield job, error
            else:
                yield job, _write(job, out)

    def _together(self, rasters: list[Raster]) -> list[Raster]:
        """Upscale pictures of one size as a batch; return nothing if they do not fit into memory."""
        upscaler, needed, room = self._plan(rasters[0])
        fits = room is None or len(rasters) * needed <= room
        if not fits or not upscaler.whole(*self._size(rasters[0])):
            return []
        try:
            with expect_room(len(rasters) * needed, room, "images of one size"):
                return upscale_rasters(upscaler, rasters, torch.cat([*map(self._scores, rasters)]))
        except UserError:  # the estimate was too low
            return []

    def _scores(self, raster: Raster) -> Scores:
        scores = resolve_scores(self.upscaler.estimator, raster.pixels, self.given_scores)
        self.on_scores(*scores[0].tolist())
        return scores

    def _plan(self, raster: Raster) -> tuple[Upscaler, int, int | None]:
        """Choose the tile; return the upscaler with that tile, the bytes it needs, and the bytes that are free."""
        size = self._size(raster)
        room = available_bytes(self.upscaler.device) if self.limit is None else self.limit
        kept = 0
        if self.upscaler.device.type == "cpu":  # the result lies in the same memory, twice as most formats are written
            kept = 2 * len(raster.samples) * raster.samples.element_size() * size[0] * size[1]
        generator = self.upscaler.generator
        tile = choose_tile(generator, None if room is None else room - kept) if self.tile == "auto" else self.tile
        sides = (min(side, tile or side) for side in size)
        return self.upscaler.at(tile=tile), needed_bytes(generator, *sides) + kept, room

    def _size(self, raster: Raster) -> tuple[int, int]:
        return enlarged(raster.size, self.upscaler.scale)


def _write(job: Job, out: Raster) -> UserError | None:
    try:
        write_raster(job.target, out)
    except UserError as error:
        return error
    return None
