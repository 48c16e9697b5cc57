"""Open and upscale pictures for the demo, independent of the page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dgsr.checks import expect
from dgsr.inference import Upscaler
from dgsr.inference.files import FileUpscaling
from dgsr.inference.rasters import enlarge_raster
from dgsr.inference.scores import estimate
from dgsr.inference.tiled import ColorFix
from dgsr.ops.resizing import enlarged
from dgsr.rasters import Raster, read_raster, write_raster


@dataclass(frozen=True)
class Settings:
    """Settings of `Upscaler` for one picture; the estimator decides where `scores` is None."""

    scores: tuple[float, float] | None
    scale: int | float
    guidance: float
    color_fix: ColorFix
    seed: int
    tile: int | Literal["auto"]


@dataclass(frozen=True)
class Opened:
    """A picture in a format for browsers, with its height, width, and estimated blur and noise."""

    picture: Path
    size: tuple[int, int]
    scores: tuple[float, float]


@dataclass(frozen=True)
class Upscaled:
    """The picture enlarged by interpolation and by the model, and the seconds that the model took."""

    interpolated: Path
    sr: Path
    size: tuple[int, int]
    seconds: float


class Studio:
    """Opens and upscales pictures, one at a time.

    Args:
        upscaler: Provides the networks and the default scale and guidance.
        folder: Folder for the pictures to show; each write deletes the earlier ones.
        max_pixels: Largest number of pixels of a picture or a result.
        memory: Bytes that may be used; None uses what is free.
    """

    def __init__(self, upscaler: Upscaler, folder: Path, max_pixels: int, memory: int | None = None) -> None:
        self.upscaler, self.folder, self.max_pixels, self.memory = upscaler, folder, max_pixels, memory

    def open(self, file: Path) -> Opened:
        """Read a picture and estimate its degradation.

        Raises:
            UserError: It cannot be read, or has too many pixels, which is checked before decoding.
        """
        raster = self._read(file)
        blur, noise = estimate(self.upscaler.estimator, raster.pixels)[0].tolist()
        return Opened(self._write({f"{file.stem}.png": raster})[0], raster.size, (blur, noise))

    def upscale(self, file: Path, settings: Settings, on_progress: Callable[[float], object]) -> Upscaled:
        """Enlarge a picture.

        Args:
            file: The picture.
            settings: Scale, guidance, colours, seed, tiles and, optionally, scores.
            on_progress: Called after each tile with the completed share of the work.

        Raises:
            UserError: As for `open`, or the result would have too many pixels or take too much memory.
        """
        raster = self._read(file)
        height, width = enlarged(raster.size, settings.scale)
        limit = f"a result of at most {self.max_pixels / 1e6:g} megapixels"
        expect(height * width <= self.max_pixels, limit, f"{width}x{height} px", "Choose a smaller scale or picture.")
        upscaler = Upscaler(
            self.upscaler.generator,
            self.upscaler.estimator,
            settings.scale,
            settings.color_fix,
            settings.guidance,
            settings.seed,
            precision=self.upscaler.precision,
            on_progress=on_progress,
        )
        work = FileUpscaling(upscaler, settings.tile, limit=self.memory, given_scores=settings.scores or (None, None))
        started = time.perf_counter()
        sr = work.alone(raster, file.name)
        seconds = time.perf_counter() - started
        interpolated = enlarge_raster(raster, settings.scale)
        before, after = self._write({f"{file.stem}_bicubic.png": interpolated, f"{file.stem}_sr.png": sr})
        return Upscaled(before, after, sr.size, seconds)

    def _read(self, file: Path) -> Raster:
        return read_raster(file, file.name, self.max_pixels)

    def _write(self, pictures: dict[str, Raster]) -> list[Path]:
        for old in self.folder.iterdir():
            old.unlink()
        for name, raster in pictures.items():
            write_raster(self.folder / name, raster)
        return [self.folder / name for name in pictures]
