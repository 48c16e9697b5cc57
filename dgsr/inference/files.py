"""Upscale files one after the other; what is wrong with one does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from dgsr.checks import UserError
from dgsr.inference.memory import available_bytes, choose_tile, expect_room, needed_bytes
from dgsr.inference.rasters import upscale_raster, upscale_rasters
from dgsr.inference.scores import Told, scores_of
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
    """How files are upscaled.

    Args:
        upscaler: What upscales; its own `tile` gives way to this one.
        tile: Side of the tiles in px, 0 for none, `auto` for the largest that free memory allows.
        batch: Neighbours of equal size that go through the networks together, at most, where they go whole.
        limit: Bytes of memory that may be taken; None is what is free.
        told: What is to be undone, where it is not what the estimator says.
        tell: Called with blur and noise of every picture, before it is upscaled by them.
    """

    upscaler: Upscaler
    tile: int | Literal["auto"] = "auto"
    batch: int = 1
    limit: int | None = None
    told: Told = (None, None)
    tell: Callable[[float, float], object] = lambda blur, noise: None

    def __post_init__(self) -> None:
        """Let the upscaler know of the tile."""
        if self.tile != "auto":
            self.upscaler.tile = self.tile

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
            name: What errors call it.

        Raises:
            UserError: It does not fit into memory.
        """
        height, width = self._size(raster)
        needed, room = self._plan(raster)
        with expect_room(needed, room, f"{name}, whose {width}x{height} px"):
            return upscale_raster(self.upscaler, raster, self._scores(raster))

    def _finish(self, waiting: list[tuple[Job, Raster]]) -> Iterator[tuple[Job, UserError | None]]:
        """Upscale pictures of one size as a batch if there is room for that, or else one by one."""
        if len(waiting) > 1 and self._fit_together(waiting[0][1], len(waiting)):
            needed, room = self._plan(waiting[0][1])
            try:
                with expect_room(len(waiting) * needed, room, "images of one size"):
                    rasters = [raster for _, raster in waiting]
                    outs = upscale_rasters(self.upscaler, rasters, torch.cat([*map(self._scores, rasters)]))
            except UserError:  # the estimate was too low
                outs = []
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

    def _scores(self, raster: Raster) -> Scores:
        scores = scores_of(self.upscaler.estimator, raster.pixels, self.told)
        self.tell(*scores[0].tolist())
        return scores

    def _fit_together(self, raster: Raster, count: int) -> bool:
        needed, room = self._plan(raster)
        return self.upscaler.whole(*self._size(raster)) and (room is None or count * needed <= room)

    def _plan(self, raster: Raster) -> tuple[int, int | None]:
        """Choose the tile; return how many bytes are needed, and how many there are."""
        size = self._size(raster)
        room = available_bytes(self.upscaler.device) if self.limit is None else self.limit
        kept = 0
        if self.upscaler.device.type == "cpu":  # the result lies in the same memory, twice as most formats are written
            kept = 2 * len(raster.samples) * raster.samples.element_size() * size[0] * size[1]
        generator = self.upscaler.generator
        if self.tile == "auto":
            self.upscaler.tile = choose_tile(generator, None if room is None else room - kept)
        sides = (min(side, self.upscaler.tile or side) for side in size)
        return needed_bytes(generator, *sides) + kept, room

    def _size(self, raster: Raster) -> tuple[int, int]:
        return enlarged(raster.size, self.upscaler.scale)


def _write(job: Job, out: Raster) -> UserError | None:
    try:
        write_raster(job.target, out)
    except UserError as error:
        return error
    return None
