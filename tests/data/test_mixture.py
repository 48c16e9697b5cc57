"""Every source gets its share and is visited epoch by epoch."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from dgsr.checks import UserError
from dgsr.data.mixture import MixedSource, MixedStream, stream_of
from dgsr.data.opening import bundled
from dgsr.data.sources import Source
from dgsr.data.stream import SampleStream


def test_a_mixture_concatenates_its_sources() -> None:
    train, val = bundled("train", limit=3), bundled("val")
    mixture = MixedSource([(train, None), (val, None)])
    assert len(mixture) == 12
    assert [mixture.name(index) for index in (2, 3)] == [f"0/{train.name(2)}", f"1/{val.name(0)}"]
    assert torch.equal(mixture[2], train[2])
    assert torch.equal(mixture[3], val[0])
    assert (mixture.peers(0), mixture.peers(5)) == (range(3), range(3, 12))


def test_fingerprints_follow_parts_order_and_weights() -> None:
    train, val = bundled("train"), bundled("val")
    mixtures: list[list[tuple[Source, float | None]]] = [
        [(train, None), (val, None)],
        [(val, None), (train, None)],
        [(train, 1.0), (val, 1.0)],
        [(train, 1.0), (val, 2.0)],
    ]
    assert len({MixedSource(parts).fingerprint() for parts in mixtures}) == 4


def test_shares_are_exact() -> None:
    stream = MixedStream([3, 1000], [1.0, 3.0], seed=0)
    drawn = [stream[position][0] < 3 for position in range(20_000)]
    assert sum(drawn[:10_000]) == sum(drawn[10_000:]) == 2500
    assert sum(drawn[:400]) == pytest.approx(100, abs=40)


def test_each_source_is_visited_epoch_by_epoch() -> None:
    sizes = [7, 4000, 100]
    stream = MixedStream(sizes, [1.0, 4.0, 5.0], seed=3)
    drawn = [stream[position][0] for position in range(20_000)]
    counts = Counter(drawn)
    for first, size, share in ((0, 7, 2000), (7, 4000, 8000), (4007, 100, 10_000)):
        times = [counts[index] for index in range(first, first + size)]
        assert sum(times) == share
        assert max(times) - min(times) <= 1


def test_seeds_equal_those_of_an_unweighted_stream() -> None:
    mixed, plain = MixedStream([5, 6], [1.0, 1.0], seed=4), SampleStream(11, seed=4)
    assert [mixed[position][1] for position in range(50)] == [plain[position][1] for position in range(50)]


def test_the_order_follows_from_the_seed() -> None:
    orders = [[MixedStream([50, 60], [1.0, 2.0], seed)[p][0] for p in range(100)] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]


def test_only_weighted_mixtures_have_a_mixed_stream() -> None:
    train, val = bundled("train"), bundled("val")
    assert isinstance(stream_of(MixedSource([(train, 1.0), (val, 2.0)]), 0), MixedStream)
    assert isinstance(stream_of(MixedSource([(train, None), (val, None)]), 0), SampleStream)
    assert isinstance(stream_of(train, 0), SampleStream)


def test_wrong_mixtures_are_refused() -> None:
    val = bundled("val")
    wrong: list[list[tuple[Source, float | None]]] = [
        [],
        [(val, 1.0), (val, None)],
        [(val, 0.0)],
        [(val, -1.0), (val, 2.0)],
    ]
    for parts in wrong:
        with pytest.raises(UserError):
            MixedSource(parts)
    with pytest.raises(UserError, match="1/10000"):
        MixedStream([5, 5], [1.0, 1e6], seed=0)
