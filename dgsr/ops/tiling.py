"""Split a plane into overlapping tiles, and blend their results strip by strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

# Variance of the Gaussian blending weights, relative to the squared side of a tile.
_VARIANCE = 0.01


@dataclass(frozen=True)
class Span:
    """A tile along one axis: it covers [start, stop); the cores of all tiles cover every cell exactly once."""

    start: int
    stop: int
    core_start: int
    core_stop: int

    def window(self, factor: int = 1) -> slice:
        """Return the tile's slice of a plane that is `factor` times as large."""
        return slice(self.start * factor, self.stop * factor)

    def core(self, size: int) -> slice:
        """Return the core's slice of a window that has been resized to `size` cells."""
        factor = size / (self.stop - self.start)
        return slice(round((self.core_start - self.start) * factor), round((self.core_stop - self.start) * factor))


@dataclass(frozen=True)
class Tile:
    """A tile of a grid."""

    rows: Span
    columns: Span


def spans(length: int, tile: int, overlap: int, multiple: int = 1) -> list[Span]:
    """Cover an axis with evenly spaced tiles of one size.

    Args:
        length: Length of the axis, in cells.
        tile: Length of a tile; the last one may be slightly longer. A shorter axis is covered by a single tile.
        overlap: Minimum number of cells that neighbours share.
        multiple: All bounds except the end are multiples of this; `tile` must be one too.

    >>> [(s.start, s.stop, s.core_start, s.core_stop) for s in spans(10, 6, 2)]
    [(0, 6, 0, 5), (4, 10, 5, 10)]
    """
    assert 0 <= overlap < tile, "the overlap must be smaller than the tile"
    if length <= tile:
        return [Span(0, length, 0, length)]
    count = math.ceil((length - overlap) / (tile - overlap))
    starts = [(length - tile) * at // ((count - 1) * multiple) * multiple for at in range(count)]
    cuts = [(left + tile + right) // (2 * multiple) * multiple for left, right in pairwise(starts)]
    stops = [*(start + tile for start in starts[:-1]), length]
    bounds = zip(starts, stops, [0, *cuts], [*cuts, length], strict=True)
    return [Span(*four) for four in bounds]


def blending_weights(axis: list[Span], factor: int = 1) -> list[Float[Tensor, " cells"]]:
    """Return each tile's blending weights along an axis: Gaussian, and normalised to a sum of 1 in every cell.

    Source: S3Diff's published inference settings.
    """
    total = torch.zeros(axis[-1].stop * factor)
    bells = []
    for span in axis:
        window = span.window(factor)
        length = window.stop - window.start
        offset = (torch.arange(length) + 0.5) / length - 0.5
        bells.append(torch.exp(-(offset**2) / (2 * _VARIANCE)))
        total[window] += bells[-1]
    return [bell / total[span.window(factor)] for span, bell in zip(axis, bells, strict=True)]


@dataclass(frozen=True)
class Grid:
    """A grid of overlapping tiles over a plane, row by row."""

    rows: list[Span]
    columns: list[Span]

    @classmethod
    def over(cls, size: tuple[int, int], tile: int, overlap: int, multiple: int = 1) -> Grid:
        """Cover a plane of (height, width); see `spans` for the other arguments."""
        return cls(spans(size[0], tile, overlap, multiple), spans(size[1], tile, overlap, multiple))

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def sample(self, side: int) -> list[Tile]:
        """Return at most side x side tiles, spread evenly."""
        rows, columns = (
            [axis[(2 * at + 1) * len(axis) // (2 * min(side, len(axis)))] for at in range(min(side, len(axis)))]
            for axis in (self.rows, self.columns)
        )
        return [Tile(row, column) for row in rows for column in columns]

    def blend(
        self, produce: Callable[[Tile], Float[Tensor, "1 c h w"]], factor: int = 1
    ) -> Iterator[tuple[int, Float[Tensor, "1 c h w"]]]:
        """Blend the outputs of all tiles; yield finished strips of the full width as (top, strip), from top to bottom.

        Args:
            produce: Returns the output for the window of a tile, `factor` times as large.
            factor: Output cells per cell of the grid, along each axis.
        """
        down, across = blending_weights(self.rows, factor), blending_weights(self.columns, factor)
        tops = [span.start * factor for span in self.rows] + [self.rows[-1].stop * factor]
        width = self.columns[-1].stop * factor
        unfinished: Tensor | None = None
        for row, down_weight, top, next_top in zip(self.rows, down, tops, tops[1:], strict=False):
            height = (row.stop - row.start) * factor
            strip: Tensor | None = None
            for column, across_weight in zip(self.columns, across, strict=True):
                part = produce(Tile(row, column))
                if strip is None:
                    strip = part.new_zeros(1, part.shape[1], height, width)
                    if unfinished is not None:
                        strip[..., : unfinished.shape[-2], :] = unfinished
                weight = down_weight[:, None] * across_weight
                strip[..., column.window(factor)] += part * weight.to(part)
            assert strip is not None
            yield top, strip[..., : next_top - top, :]
            unfinished = strip[..., next_top - top :, :].clone()
