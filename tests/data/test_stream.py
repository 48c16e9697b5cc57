"""The stream visits every image once an epoch, at the same positions on any number of ranks."""

import itertools
from collections import Counter
from math import factorial

import numpy as np
import pytest

from dgsr.data import stream as module
from dgsr.data.stream import RankStream, SampleStream, permuted


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 37, 64, 1000])
def test_every_epoch_is_another_permutation(size: int) -> None:
    stream = SampleStream(size, seed=3)
    epochs = [[stream[epoch * size + place][0] for place in range(size)] for epoch in range(3)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(size))
    if size >= 37:
        assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_all_permutations_are_about_equally_likely(size: int) -> None:
    num_draws = 50 * factorial(size)
    draws = np.random.default_rng(0)
    keys = draws.integers(2**63, size=(num_draws, 12)).tolist()
    counts = Counter(tuple(permuted(place, size, tuple(key)) for place in range(size)) for key in keys)
    assert len(counts) == factorial(size)
    chi_square = sum((count - 50) ** 2 / 50 for count in counts.values())
    freedom = factorial(size) - 1
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5


def test_places_and_neighbours_are_uniform() -> None:
    size = 37
    streams = [SampleStream(size, seed) for seed in range(600)]
    firsts = np.bincount([stream[0][0] for stream in streams], minlength=size)
    steps = np.bincount([(stream[11][0] - stream[10][0]) % size for stream in streams], minlength=size)[1:]
    for counts in (firsts, steps):
        mean = 600 / len(counts)
        assert ((counts - mean) ** 2 / mean).sum() < len(counts) + 5 * (2 * len(counts)) ** 0.5


def test_the_cost_does_not_depend_on_the_number_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[int] = Counter()
    mix = module.mix

    def counted(seed: int, value: int) -> int:
        calls[size] += 1
        return mix(seed, value)

    monkeypatch.setattr(module, "mix", counted)
    for size in (1000, 10_000_000):
        stream = SampleStream(size, seed=0)
        assert len({stream[position][0] for position in range(500)}) == 500
    assert calls[10_000_000] < 1.2 * calls[1000]


def test_seeds_of_samples_differ_and_fit_a_tensor() -> None:
    seeds = [SampleStream(5, seed)[position][1] for seed in range(3) for position in range(500)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_another_seed_gives_another_order() -> None:
    orders = [[SampleStream(100, seed)[position][0] for position in range(100)] for seed in (0, 1)]
    assert orders[0] != orders[1]


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_global_batches_do_not_depend_on_the_number_of_ranks(world_size: int) -> None:
    stream = SampleStream(10, seed=1)
    ranks = [iter(RankStream(stream, 8 // world_size, rank, world_size)) for rank in range(world_size)]
    drawn = [sample for _ in range(5) for rank in ranks for sample in next(rank)]
    assert drawn == [stream[position] for position in range(40)]


def test_a_stream_resumes_with_another_number_of_ranks() -> None:
    stream = SampleStream(7, seed=1)
    whole = list(itertools.islice(RankStream(stream, 12, 0, 1), 3))
    resumed = [iter(RankStream(stream, 4, rank, 3, start=12)) for rank in range(3)]
    assert [sample for _ in range(2) for rank in resumed for sample in next(rank)] == whole[1] + whole[2]


def test_a_second_iteration_starts_from_the_beginning() -> None:
    batches = RankStream(SampleStream(7, seed=1), 4, 0, 1)
    assert next(iter(batches)) == next(iter(batches))
