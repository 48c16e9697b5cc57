"""Test splitting and random draws of samples."""

from __future__ import annotations

import torch

from dgsr.training.loop.sample import Sample, flip


def test_pieces_join_to_the_whole_sample() -> None:
    whole = Sample(torch.rand(5, 3, 8, 8), torch.rand(5, 3, 8, 8), torch.rand(5, 2), torch.arange(5))
    pieces = whole.split(2)
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    assert torch.equal(torch.cat([piece.lq_up for piece in pieces]), whole.lq_up)
    assert torch.equal(torch.cat([piece.seeds for piece in pieces]), whole.seeds)


def test_noise_follows_the_seed_of_each_image() -> None:
    images = torch.rand(2, 3, 8, 8)
    samples = [Sample(images, images, torch.rand(2, 2), torch.tensor(seeds)) for seeds in ([5, 6], [6, 7])]
    first, second = ([torch.rand(3, generator=noise).tolist() for noise in sample.noise()] for sample in samples)
    assert first[1] == second[0]
    assert len({*map(tuple, first), *map(tuple, second)}) == 3


def test_rows_selects_images() -> None:
    whole = Sample(torch.rand(3, 3, 8, 8), torch.rand(3, 3, 8, 8), torch.rand(3, 2), torch.arange(3))
    some = whole.rows(torch.tensor([2, 0]))
    assert some.seeds.tolist() == [2, 0]
    assert torch.equal(some.hq, whole.hq[[2, 0]])


def test_flips_follow_probabilities_and_seeds() -> None:
    rare, often = flip(torch.arange(20_000), "test", 0.05, 0.9)
    assert abs(rare.float().mean() - 0.05) < 0.005
    assert abs(often.float().mean() - 0.9) < 0.01
    again = flip(torch.tensor([7, 8]), "test", 0.05, 0.9)
    assert torch.equal(again[0], rare[7:9])
    assert torch.equal(again[1], often[7:9])
