"""Cut a plane into overlapping tiles and blend what is made of them, strip by strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

# Of the blending weights, in shares of a tile's side: half the deviation of the window's half.
_VARIANCE = 0.01


@dataclass(frozen=True)
class Span:
    """A tile along one axis: it sees [start, stop); where every cell counts once, it stands for its core."""

    start: int
    stop: int
    core_start: int
    core_stop: int

    def window(self, factor: int = 1) -> slice:
        """Return what the tile sees, on a plane with so many cells for each of ours."""
        return slice(self.start * factor, self.stop * factor)

    def core(self, size: int) -> slice:
        """Return the core within a window that has been resized to so many cells."""
        factor = size / (self.stop - self.start)
        return slice(round((self.core_start - self.start) * factor), round((self.core_stop - self.start) * factor))


@dataclass(frozen=True)
class Tile:
    """One place of a grid."""

    rows: Span
    columns: Span


def spans(length: int, tile: int, overlap: int, multiple: int = 1) -> list[Span]:
    """Cover an axis evenly with tiles of one size.

    Args:
        length: Cells of the axis.
        tile: Cells of a tile, but for a few more in the last; one tile covers an axis that is no longer.
        overlap: Cells that neighbours share, at least.
        multiple: Of which all bounds but the end are multiples; `tile` must be one.

    >>> [(s.start, s.stop, s.core_start, s.core_stop) for s in spans(10, 6, 2)]
    [(0, 6, 0, 5), (4, 10, 5, 10)]
    """
    assert 0 <= overlap < tile, "tiles that move on"
    if length <= tile:
        return [Span(0, length, 0, length)]
    count = math.ceil((length - overlap) / (tile - overlap))
    starts = [(length - tile) * at // ((count - 1) * multiple) * multiple for at in range(count)]
    cuts = [(left + tile + right) // (2 * multiple) * multiple for left, right in pairwise(starts)]
    stops = [*(start + tile for start in starts[:-1]), length]
    bounds = zip(starts, stops, [0, *cuts], [*cuts, length], strict=True)
    return [Span(*four) for four in bounds]


def blending_weights(axis: list[Span], factor: int = 1) -> list[Float[Tensor, " cells"]]:
    """Return each tile's weights along an axis: Gaussian around its centre, all tiles together 1 everywhere.

    Source: S3Diff's published inference settings.
    """
    total = torch.zeros(axis[-1].stop * factor)
    bells = []
    for span in axis:
        window = span.window(factor)
        length = window.stop - window.start
        away = (torch.arange(length) + 0.5) / length - 0.5
        bells.append(torch.exp(-(away**2) / (2 * _VARIANCE)))
        total[window] += bells[-1]
    return [bell / total[span.window(factor)] for span, bell in zip(axis, bells, strict=True)]


@dataclass(frozen=True)
class Grid:
    """Tiles over a plane, row by row."""

    rows: list[Span]
    columns: list[Span]

    @classmethod
    def over(cls, size: tuple[int, int], tile: int, overlap: int, multiple: int = 1) -> Grid:
        """Cover a plane of (height, width); the other arguments are those of `spans`."""
        return cls(spans(size[0], tile, overlap, multiple), spans(size[1], tile, overlap, multiple))

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def sample(self, side: int) -> list[Tile]:
        """Return at most side by side tiles, spread evenly."""
        rows, columns = (
            [axis[(2 * at + 1) * len(axis) // (2 * min(side, len(axis)))] for at in range(min(side, len(axis)))]
            for axis in (self.rows, self.columns)
        )
        return [Tile(row, column) for row in rows for column in columns]

    def blend(
        self, produce: Callable[[Tile], Float[Tensor, "1 c h w"]], factor: int = 1
    ) -> Iterator[tuple[int, Float[Tensor, "1 c h w"]]]:
        """Yield (top, strip) from top to bottom, each as wide as the plane and final.

        Args:
            produce: Makes what the window of a tile shows, with `factor` cells for each of ours.
            factor: Output cells per cell of the grid, along each side.
        """
        down, across = blending_weights(self.rows, factor), blending_weights(self.columns, factor)
        tops = [span.start * factor for span in self.rows] + [self.rows[-1].stop * factor]
        width = self.columns[-1].stop * factor
        unfinished: Tensor | None = None
        for row, down_weight, top, next_top in zip(self.rows, down, tops, tops[1:], strict=False):
            height = (row.stop - row.start) * factor
            strip: Tensor | None = None
            for column, across_weight in zip(self.columns, across, strict=True):
                made = produce(Tile(row, column))
                if strip is None:
                    strip = made.new_zeros(1, made.shape[1], height, width)
                    if unfinished is not None:
                        strip[..., : unfinished.shape[-2], :] = unfinished
                weight = down_weight[:, None] * across_weight
                strip[..., column.window(factor)] += made * weight.to(made)
            assert strip is not None
            yield top, strip[..., : next_top - top, :]
            unfinished = strip[..., next_top - top :, :].clone()
