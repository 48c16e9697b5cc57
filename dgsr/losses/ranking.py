"""Losses on the order of scores."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def margin_ranking(scores: Float[Tensor, " b"], truth: Float[Tensor, " b"], margin: float) -> Float[Tensor, ""]:
    """Ask that scores of clearly different truths differ in the same direction, by the margin at least.

    The mean is over all pairs of the batch whose truths are further apart than the margin; without any it is 0.

    >>> import torch
    >>> margin_ranking(torch.tensor([0.5, 0.25, 0.5]), torch.tensor([0.0, 1.0, 0.0]), margin=0.25)
    tensor(0.5000)

    Source: MM-RealSR Sec. 3.3, whose pairs are two degradations of one image.
    """
    lower, upper = (truth[None, :] - truth[:, None] > margin).nonzero(as_tuple=True)
    lacking = (margin - (scores[upper] - scores[lower])).clamp(min=0)
    return lacking.sum() / max(len(lacking), 1)
