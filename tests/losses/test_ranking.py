"""Test the ranking loss against torch."""

from __future__ import annotations

import torch

from dgsr.losses.ranking import margin_ranking


def test_equals_torch_over_clearly_different_pairs() -> None:
    scores, truth, margin = torch.rand(9), torch.rand(9), 0.2
    pairs = [(i, j) for i in range(9) for j in range(9) if truth[i] - truth[j] > margin]
    upper, lower = (scores[list(indices)] for indices in zip(*pairs, strict=True))
    expected = torch.nn.functional.margin_ranking_loss(upper, lower, torch.ones(len(pairs)), margin)
    assert torch.allclose(margin_ranking(scores, truth, margin), expected)


def test_correct_order_and_equal_values_cost_nothing() -> None:
    rising = torch.tensor([0.1, 0.4, 0.7])
    assert margin_ranking(rising, rising, 0.2) == 0
    assert margin_ranking(rising.flip(0), torch.full((3,), 0.5), 0.2) == 0
    assert margin_ranking(rising.flip(0), rising, 0.2) > 0
