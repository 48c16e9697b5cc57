"""Compute a ranking loss on scores."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def margin_ranking(scores: Float[Tensor, " b"], truth: Float[Tensor, " b"], margin: float) -> Float[Tensor, ""]:
    """Penalize pairs of scores in the wrong order, or that differ by less than the margin.

    The mean is over the pairs of the batch whose true values differ by more than the margin; 0 without such pairs.

    >>> import torch
    >>> margin_ranking(torch.tensor([0.5, 0.25, 0.5]), torch.tensor([0.0, 1.0, 0.0]), margin=0.25)
    tensor(0.5000)

    Source: MM-RealSR Sec. 3.3, whose pairs are two degradations of one image.
    """
    lower, upper = (truth[None, :] - truth[:, None] > margin).nonzero(as_tuple=True)
    shortfall = (margin - (scores[upper] - scores[lower])).clamp(min=0)
    return shortfall.sum() / max(len(shortfall), 1)
