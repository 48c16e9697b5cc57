"""Rates are those of the loader, and the fewest workers that reach them are advised."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from torch import Tensor

from dgsr.apps.doctor.throughput import Throughput, cores, measure
from tests.small_run import make_data


class Slow:
    """A degradation that takes a known time, most of all samples'."""

    def __call__(self, hq: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        time.sleep(0.05)
        return hq, hq[:, ::4, ::4], torch.zeros(2)


def test_reading_and_degrading_are_timed_separately() -> None:
    data: Any = make_data()
    data.degrade = data.train_pairs.degrade = Slow()
    threads = torch.get_num_threads()
    result = measure(data, [0, 1], seconds=0.5)
    assert torch.get_num_threads() == threads
    assert 0.05 <= result.degrading < 0.15
    assert 0 < result.reading < result.degrading
    assert result.rates.keys() == {0, 1}
    assert all(3 < rate < 20.5 for rate in result.rates.values())


def test_the_fewest_workers_that_are_about_the_best_are_enough() -> None:
    result = Throughput(reading=0.01, degrading=0.03, rates={0: 5.0, 1: 9.0, 2: 18.5, 4: 20.0, 8: 19.0})
    assert result.enough_workers() == 2
    assert result.degrading_share == pytest.approx(0.75)


def test_at_least_one_core_is_counted() -> None:
    assert cores() >= 1
