"""Estimate the degradation of images of any size, part by part."""

from __future__ import annotations

import math

import torch

from dgsr.images import from_pixels
from dgsr.models.estimator import DegradationEstimator
from dgsr.ops.precision import exactly
from dgsr.ops.tiling import Grid, Tile
from dgsr.types import Pixels, Scores

#: Blur and noise as given by the user; None where the estimator decides.
GivenScores = tuple[float | None, float | None]

_TILE_PX = 256


def resolve_scores(estimator: DegradationEstimator, lq: Pixels, given_scores: GivenScores) -> Scores:
    """Return the scores of one image: given ones, and estimates for the others."""
    estimated = estimate(estimator, lq)[0].tolist() if None in given_scores else given_scores
    scores = [estimate if given is None else given for given, estimate in zip(given_scores, estimated, strict=True)]
    return torch.tensor([scores], device=next(estimator.parameters()).device)


@torch.no_grad()
def estimate(estimator: DegradationEstimator, lq: Pixels) -> Scores:
    """Estimate the scores of one image part by part, in the memory of a small one.

    Features depend on a limited neighbourhood, so parts with a margin give the features of the whole image.
    """
    device, down = next(estimator.parameters()).device, math.prod(estimator.shape["down_scales"])
    overlap = 2 * math.ceil(estimator.reach_px / down) * down
    grid = Grid.over((lq.shape[-2], lq.shape[-1]), _TILE_PX + overlap, overlap, down)
    sums, cells = [0.0, 0.0], 0
    for tile in (Tile(row, column) for row in grid.rows for column in grid.columns):
        part = from_pixels(lq[:, tile.rows.window(), tile.columns.window()]).to(device)
        with exactly(device):
            features = estimator.features(part.expand(3, -1, -1)[None])
        cores = [
            branch[..., tile.rows.core(branch.shape[-2]), tile.columns.core(branch.shape[-1])] for branch in features
        ]
        sums = [total + core.sum(dim=(2, 3)) for total, core in zip(sums, cores, strict=True)]
        cells += cores[0].shape[-2] * cores[0].shape[-1]
    return estimator.score([torch.as_tensor(total) / cells for total in sums])
