"""Losses on the order of scores."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def margin_ranking(scores: Float[Tensor, " b"], truth: Float[Tensor, " b"], margin: float) -> Float[Tensor, ""]:
    """Penalize scores that do not differ in the direction of clearly different truths by at least the margin.

    The mean is over all pairs of the batch whose truths differ by more than the margin, and 0 if there are none.

    >>> import torch
    >>> margin_ranking(torch.tensor([0.5, 0.25, 0.5]), torch.tensor([0.0, 1.0, 0.0]), margin=0.25)
    tensor(0.5000)

    Source: MM-RealSR Sec. 3.3, whose pairs are two degradations of one image.
    """
    lower, upper = (truth[None, :] - truth[:, None] > margin).nonzero(as_tuple=True)
    shortfall = (margin - (scores[upper] - scores[lower])).clamp(min=0)
    return shortfall.sum() / max(len(shortfall), 1)
