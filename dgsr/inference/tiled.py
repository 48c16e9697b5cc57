"""Upscale an image of any size in the memory of one tile, with the same networks as for small images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from dgsr.images import from_pixels, reflected, to_pixels, to_signed, to_unit
from dgsr.inference.finite import expect_finite
from dgsr.models.adapters.conditioning import Corrections
from dgsr.models.backbones.shared_layers import SharedLayers
from dgsr.models.generator import OneStepGenerator
from dgsr.ops.color import adain_map, channel_sums, wavelet_color_fix
from dgsr.ops.precision import Precision, at_least_fp32, computing_in
from dgsr.ops.resizing import upsample_at
from dgsr.ops.tiling import Grid, Tile
from dgsr.seeds import torch_generator
from dgsr.types import Pixels

ColorFix = Literal["wavelet", "adain", "none"]

#: Overlap of the VAE's tiles. Its receptive field is about 100 px wide, but far pixels contribute little.
OVERLAP_PX = 128

_UNET_TILE, _UNET_OVERLAP = 96, 32  # latent cells, as published
_SAMPLED = 3  # tiles along each side, from which layers learn about the whole image
_STRIP = 256  # rows that are recoloured at a time


class TiledUpscaling:
    """Encode, denoise and decode one image tile by tile, into existing pixels.

    Encoder, denoiser and decoder each take the image tile by tile and blend the results, by weights that are Gaussian
    around a tile's centre; their layers share the statistics of the whole image.

    Args:
        generator: In evaluation mode.
        lq: The degraded image, grey or RGB.
        out: Receives the result, with as many channels; its size sets the scale.
        correction: The correction for the image's scores.
        tile: Side of a tile of the output in px, a multiple of the generator's.
        guidance: As the generator takes it.
        color_fix: Method that matches the output's colours to the input's.
        seed: Seed of the noise, where the generator samples the posterior of its encoder.
        precision: What the networks compute in; see `Upscaler`.
        on_progress: Called after each tile with the share of all tiles that are done, over the three networks.

    Source: S3Diff's published inference settings; statistics as `dgsr.models.backbones.shared_layers` has them.
    """

    def __init__(
        self,
        generator: OneStepGenerator,
        lq: Pixels,
        out: Pixels,
        correction: Corrections,
        tile: int,
        guidance: float,
        color_fix: ColorFix,
        seed: int,
        precision: Precision,
        on_progress: Callable[[float], object],
    ):
        self.generator, self.lq, self.out, self.seed = generator, lq, out, seed
        self.guidance, self.color_fix, self.on_progress = guidance, color_fix, on_progress
        self.precision: Precision = precision
        self.device = next(generator.parameters()).device
        self.correction = correction
        self.height, self.width = out.shape[-2:]
        self.cell = cell = generator.latent_px
        self._sums: dict[Tile, Tensor] = {}
        self._done = 0
        step = generator.multiple // cell
        cells = -(-self.height // generator.multiple) * step, -(-self.width // generator.multiple) * step
        self.pixel_grid = Grid.over(cells, tile // cell, OVERLAP_PX // cell)
        self.latent_grid = Grid.over(cells, max(tile // cell, _UNET_TILE), _UNET_OVERLAP, step)

    def run(self) -> None:
        """Encode, denoise and decode, each tile by tile."""
        # Keep a single reference: the latent of a 64-megapixel image takes 64 MiB.
        latent = _join(_through(self.generator.vae, self.pixel_grid, self._encode, self._count))
        latent = _join(_through(self.generator.unet, self.latent_grid, partial(self._denoise, latent), self._count))
        for top, strip in _through(
            self.generator.vae, self.pixel_grid, partial(self._decode, latent), self._fix, self.cell
        ):
            height = min(strip.shape[-2], self.height - top)
            self.out[:, top : top + height] = to_pixels(strip[0, :, :height, : self.width], self.out.dtype)
        if self.color_fix == "adain":
            self._recolor()

    def _encode(self, tile: Tile) -> Tensor:
        noise = torch_generator(self.seed, f"posterior at {tile.rows.start}, {tile.columns.start}", self.device)
        lq_up = to_signed(self._lq_up(tile)).expand(-1, 3, -1, -1)
        with self._computing():
            return at_least_fp32(self.generator.encode(lq_up, self.correction, [noise]))

    def _denoise(self, latent: Tensor, tile: Tile) -> Tensor:
        prompts, window = self.generator.prompts, _window(latent, tile)
        with self._computing():
            return self.generator.denoise(window, self.correction, prompts.positive, prompts.negative, self.guidance)

    def _decode(self, latent: Tensor, tile: Tile) -> Tensor:
        with self._computing():
            return at_least_fp32(self.generator.decode(_window(latent, tile)))

    def _computing(self) -> AbstractContextManager[object]:
        return computing_in(self.precision, self.device)

    def _count(self, tile_result: Tensor, _: Tile) -> Tensor:
        """Check one tile's result and report progress."""
        expect_finite(tile_result)
        self._done += 1
        self.on_progress(self._done / (2 * len(self.pixel_grid) + len(self.latent_grid)))
        return tile_result

    def _fix(self, sr: Tensor, tile: Tile) -> Tensor:
        """Bring a decoded tile to [0, 1], to grey if the image is, and to the colours of the degraded one.

        Padding beyond the image's border is excluded.
        """
        size = sr.shape[-2:]
        rows, columns = (
            slice(0, side - span.start * self.cell)
            for span, side in ((tile.rows, self.height), (tile.columns, self.width))
        )
        sr, style = to_unit(self._count(sr, tile))[..., rows, columns], self._lq_up(tile)[..., rows, columns]
        if len(self.out) == 1:
            sr = sr.mean(dim=1, keepdim=True)
        if self.color_fix == "wavelet":
            sr = wavelet_color_fix(sr, style)
        elif self.color_fix == "adain":
            core = ..., tile.rows.core(size[0]), tile.columns.core(size[1])
            self._sums[tile] = torch.cat([channel_sums(image[core]) for image in (sr, style)])
        return pad(sr, (0, size[1] - sr.shape[-1], 0, size[0] - sr.shape[-2]))

    def _lq_up(self, tile: Tile) -> Float[Tensor, "1 c h w"]:
        """Return a tile of the enlarged image, reflected beyond its border."""
        rows, columns = (
            reflected(torch.arange(span.start * self.cell, span.stop * self.cell, device=self.device), side)
            for span, side in ((tile.rows, self.height), (tile.columns, self.width))
        )
        return upsample_at(self.lq, (self.height, self.width), rows, columns)

    def _recolor(self) -> None:
        """Apply AdaIN to the output, with the statistics of all tiles."""
        content, style = torch.stack(list(self._sums.values())).sum(dim=0)[:, None]
        gain, offset = (part[0] for part in adain_map(content, style))
        for rows in self.out.split(_STRIP, dim=1):
            rows[:] = to_pixels(from_pixels(rows).to(gain) * gain + offset, rows.dtype)


def _through(
    network: nn.Module,
    grid: Grid,
    run: Callable[[Tile], Tensor],
    finish: Callable[[Tensor, Tile], Tensor],
    factor: int = 1,
) -> Iterator[tuple[int, Tensor]]:
    """Run a network on all tiles, with layers that share statistics of the whole image; yield strips of the result."""
    layers = SharedLayers(network)
    with layers.installed() if len(grid) > 1 else nullcontext():
        if len(grid) > 1:
            layers.settle(grid.sample(_SAMPLED), run)
        yield from grid.blend(lambda tile: finish(layers.run(tile, run), tile), factor)


def _join(strips: Iterator[tuple[int, Tensor]]) -> Tensor:
    return torch.cat([strip for _, strip in strips], dim=-2)


def _window(latent: Tensor, tile: Tile) -> Tensor:
    return latent[..., tile.rows.window(), tile.columns.window()]
