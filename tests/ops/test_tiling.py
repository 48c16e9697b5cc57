"""Test tiles, their cores and their blending."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from dgsr.ops.tiling import Grid, Tile, blending_weights, spans

AXES = [(96, 64, 16, 8), (640, 64, 16, 8), (65, 64, 32, 1), (1027, 300, 44, 2), (40, 64, 16, 8), (200, 64, 16, 8)]


@pytest.mark.parametrize(("length", "tile", "overlap", "multiple"), AXES)
def test_cores_partition_the_axis_inside_their_windows(length: int, tile: int, overlap: int, multiple: int) -> None:
    axis = spans(length, tile, overlap, multiple)
    covered = [cell for span in axis for cell in range(span.core_start, span.core_stop)]
    assert covered == list(range(length))
    for left, right in pairwise(axis):
        assert left.stop - right.start >= overlap - multiple
        assert min(left.stop - left.core_stop, right.core_start - right.start) >= overlap // 2 - multiple
        assert left.stop - left.start == tile
        assert right.start % multiple == 0


@pytest.mark.parametrize("factor", [1, 8])
def test_blending_weights_sum_to_one(factor: int) -> None:
    axis = spans(200, 64, 16, 8)
    total = torch.zeros(200 * factor)
    for span, weights in zip(axis, blending_weights(axis, factor), strict=True):
        total[span.window(factor)] += weights
        assert weights.argmax() != 0 or span.start == 0
    torch.testing.assert_close(total, torch.ones_like(total))


def test_blending_reproduces_the_plane_in_strips() -> None:
    plane = torch.rand(1, 2, 104, 200)
    grid = Grid.over((104, 200), 48, 16, 8)
    assert len(grid) == 18
    strips = list(grid.blend(lambda tile: plane[..., tile.rows.window(), tile.columns.window()]))
    assert [top for top, _ in strips] == [span.start for span in grid.rows]
    torch.testing.assert_close(torch.cat([strip for _, strip in strips], dim=-2), plane)


def test_blending_supports_enlarged_output() -> None:
    plane = torch.rand(1, 1, 40, 24)
    grid = Grid.over((40, 24), 16, 8, 8)

    def enlarge(tile: Tile) -> torch.Tensor:
        part = plane[..., tile.rows.window(), tile.columns.window()]
        return part.repeat_interleave(4, dim=-1).repeat_interleave(4, dim=-2)

    whole = torch.cat([strip for _, strip in grid.blend(enlarge, 4)], dim=-2)
    torch.testing.assert_close(whole, plane.repeat_interleave(4, dim=-1).repeat_interleave(4, dim=-2))


def test_sampled_tiles_are_spread_evenly() -> None:
    grid = Grid.over((640, 320), 64, 0, 8)
    rows = {tile.rows.start for tile in grid.sample(2)}
    assert rows == {128, 448}
    small = Grid.over((64, 96), 64, 16, 8)
    assert len(small.sample(3)) == len(small) == 2


def test_core_scales_with_a_resized_window() -> None:
    last = spans(129, 64, 16, 2)[-1]
    assert last.core(last.stop - last.start) == slice(last.core_start - last.start, last.core_stop - last.start)
    halved = -(-(last.stop - last.start) // 2)
    assert last.core(halved).stop == halved
