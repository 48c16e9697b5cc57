"""A sample is cut into micro batches without losing anything."""

from __future__ import annotations

import torch

from dgsr.training.loop.sample import Sample


def test_pieces_join_to_the_whole() -> None:
    whole = Sample(torch.rand(5, 3, 8, 8), torch.rand(5, 3, 8, 8), torch.rand(5, 2), torch.arange(5))
    pieces = whole.split(2)
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    assert torch.equal(torch.cat([piece.lq_up for piece in pieces]), whole.lq_up)
    assert torch.equal(torch.cat([piece.seeds for piece in pieces]), whole.seeds)


def test_noise_follows_from_each_images_seed() -> None:
    images = torch.rand(2, 3, 8, 8)
    samples = [Sample(images, images, torch.rand(2, 2), torch.tensor(seeds)) for seeds in ([5, 6], [6, 7])]
    first, second = ([torch.rand(3, generator=noise).tolist() for noise in sample.noise()] for sample in samples)
    assert first[1] == second[0]
    assert len({*map(tuple, first), *map(tuple, second)}) == 3


def test_rows_are_taken() -> None:
    whole = Sample(torch.rand(3, 3, 8, 8), torch.rand(3, 3, 8, 8), torch.rand(3, 2), torch.arange(3))
    some = whole.rows(torch.tensor([2, 0]))
    assert some.seeds.tolist() == [2, 0]
    assert torch.equal(some.hq, whole.hq[[2, 0]])
