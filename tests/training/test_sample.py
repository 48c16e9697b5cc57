"""A sample is cut into micro batches without losing anything."""

from __future__ import annotations

import torch

from dgsr.training.sample import Sample


def test_pieces_join_to_the_whole() -> None:
    whole = Sample(torch.rand(5, 3, 8, 8), torch.rand(5, 3, 8, 8), torch.rand(5, 2), torch.arange(5))
    pieces = whole.split(2)
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    assert torch.equal(torch.cat([piece.lq_up for piece in pieces]), whole.lq_up)
    assert torch.equal(torch.cat([piece.seeds for piece in pieces]), whole.seeds)
