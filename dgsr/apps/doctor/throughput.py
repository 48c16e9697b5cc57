"""Measure how fast samples are read, degraded and loaded by any number of workers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader

from dgsr.data import RankStream, collate
from dgsr.training.data.datamodule import SyntheticData

_BATCH = 4


@dataclass(frozen=True)
class Throughput:
    """Times and rates of loading.

    Args:
        reading: Seconds per sample that one process takes to read, decode and crop.
        degrading: Seconds per sample that it takes to degrade.
        rates: Samples per second by number of workers; 0 is the training process itself.
    """

    reading: float
    degrading: float
    rates: dict[int, float]

    @property
    def degrading_share(self) -> float:
        """Share of a sample's time that is spent on degrading, in [0, 1]."""
        return self.degrading / (self.reading + self.degrading)

    def enough_workers(self) -> int:
        """Return the smallest number of workers within a tenth of the best rate."""
        best = max(self.rates.values())
        return min(workers for workers, rate in self.rates.items() if rate >= 0.9 * best)


def measure(data: SyntheticData, workers: Iterable[int], seconds: float) -> Throughput:
    """Load training samples for about this many seconds per number of workers, one thread per process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        reading, degrading = _apart(data, seconds)
        return Throughput(reading, degrading, {number: _rate(data, number, seconds) for number in workers})
    finally:
        torch.set_num_threads(threads)


def _apart(data: SyntheticData, seconds: float) -> tuple[float, float]:
    """Return the seconds per sample that this process takes to crop and to degrade."""
    reading, degrading, position = 0.0, 0.0, 0
    while position == 0 or reading + degrading < seconds:
        index, seed = data.stream[position]
        start = time.perf_counter()
        crop = data.crops[(index, seed)]["hq"]
        between = time.perf_counter()
        data.degrade(crop, seed)
        reading, degrading = reading + between - start, degrading + time.perf_counter() - between
        position += 1
    return reading / position, degrading / position


def _rate(data: SyntheticData, workers: int, seconds: float) -> float:
    """Return samples per second, after all workers have started and their first batches are consumed."""
    batches = RankStream(data.stream, _BATCH, rank=0, world_size=1)
    loader = iter(DataLoader(data.train_pairs, batch_sampler=batches, num_workers=workers, collate_fn=collate))
    for _ in range(2 * workers):
        next(loader)
    start, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds or not count:
        next(loader)
        count += _BATCH
    return count / passed


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
