"""Map positions to samples by a pure function, for any number of workers and ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt
from typing import Protocol, runtime_checkable

from torch.utils.data import Sampler

from dgsr.checks import expect
from dgsr.seeds import rng

_ROUNDS = 6


@runtime_checkable
class Stream(Protocol):
    """Maps each position of a run to a sample."""

    def __getitem__(self, position: int) -> tuple[int, int]:
        """Return (image index, sample seed)."""
        ...


class SampleStream:
    """Maps a global position to an image and the seed of the sample.

    Every epoch is a random permutation of the images. It is evaluated at single positions, so the cost does not depend
    on the number of images.

    Args:
        num_images: Number of images in the source.
        seed: Seed of the order and of all samples.
    """

    def __init__(self, num_images: int, seed: int) -> None:
        expect(num_images > 0, "at least one image", num_images)
        self.num_images, self.seed = num_images, seed

    def __getitem__(self, position: int) -> tuple[int, int]:
        """Return (image index, sample seed)."""
        epoch, place = divmod(position, self.num_images)
        return permuted(place, self.num_images, keys_of(self.seed, epoch)), mix(self.seed, position)


def keys_of(seed: int, epoch: int) -> tuple[int, ...]:
    """Draw the keys of one epoch's permutation."""
    drawn = rng(mix(seed, epoch), "order").integers(2**62, size=2 * _ROUNDS)
    return tuple(int(key) for key in drawn)


def permuted(place: int, size: int, keys: Sequence[int]) -> int:
    """Return where a pseudo-random permutation of range(size) sends one place, without building the permutation.

    The places are the cells of the smallest rectangle that holds them. In each round, rows shift columns and columns
    shift rows, which is bijective. A place that lands outside of range(size) is permuted again.

    >>> sorted(permuted(place, 5, (3, 1, 4, 1)) for place in range(5))
    [0, 1, 2, 3, 4]

    Source: Black and Rogaway, Ciphers with Arbitrary Finite Domains (2002); a generalised Feistel network.
    """
    columns = isqrt(size - 1) + 1
    rows = -(-size // columns)
    while True:
        row, column = divmod(place, columns)
        for row_key, column_key in zip(keys[::2], keys[1::2], strict=True):
            row = (row + mix(row_key, column)) % rows
            column = (column + mix(column_key, row)) % columns
        place = row * columns + column
        if place < size:
            return place


def mix(seed: int, value: int) -> int:
    """Hash two numbers to 63 bits (the finaliser of SplitMix64)."""
    state = (seed * 0x9E3779B97F4A7C15 + value * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return (state ^ (state >> 31)) >> 1


class RankStream(Sampler[list[tuple[int, int]]]):
    """Endless stream of one rank's share of every global batch.

    Step s covers the positions [start + s·B, start + (s+1)·B) for a global batch of B = batch_size · world_size; rank
    r takes the r-th part. The global batches are therefore the same for any number of ranks.

    Args:
        stream: Maps positions to samples.
        batch_size: Samples per step on this rank.
        rank: Rank of this process.
        world_size: Number of processes.
        start: Global position of the first sample.
    """

    def __init__(self, stream: Stream, batch_size: int, rank: int, world_size: int, start: int = 0) -> None:
        self.stream, self.batch_size = stream, batch_size
        self.first, self.stride = start + rank * batch_size, batch_size * world_size

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        first = self.first
        while True:
            yield [self.stream[position] for position in range(first, first + self.batch_size)]
            first += self.stride
