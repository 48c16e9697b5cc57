"""Memory counted without computing: what lives, what lived at once, and answers to questions about values."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.checkpoint import checkpoint

from dgsr.apps.doctor.live_memory import LiveMemory

KIB = 256  # numbers of four bytes


def test_the_peak_counts_tensors_alive_at_the_same_time() -> None:
    with FakeTensorMode(), LiveMemory() as memory:
        a = torch.zeros(KIB)
        b = a + 1
        del a
        c = b * 2
        del b, c
        d = torch.ones(KIB)
    assert (memory.live, memory.peak) == (1024, 2048)
    del d


def test_views_and_earlier_tensors_are_not_counted() -> None:
    with FakeTensorMode():
        weight = torch.zeros(KIB)
        with LiveMemory([weight]) as memory:
            view = weight.view(2, -1).mT
            view.add_(1)
            assert memory.peak == 0
            _sum = view.clone()
    assert memory.peak == 1024


def test_tensors_saved_for_backward_are_counted_until_then() -> None:
    def chain(x: torch.Tensor) -> torch.Tensor:
        for _ in range(8):
            x = x.tanh()
        return x

    peaks = []
    for run in (chain, lambda x: checkpoint(chain, x, use_reentrant=False)):
        with FakeTensorMode(), LiveMemory() as memory:
            result = run(torch.zeros(1024 * KIB, requires_grad=True))
            peaks.append(round(memory.live / 2**20))
            result.sum().backward()
            assert memory.peak >= 9 * 2**20
    assert peaks == [9, 2]


@pytest.mark.parametrize("everything", [False, True])
def test_masks_are_all_false_or_all_true(everything: bool) -> None:
    with FakeTensorMode(), LiveMemory(everything=everything):
        mask = torch.zeros(3) > 0
        assert bool(mask.any()) is everything
        assert len(mask.nonzero()) == 3 * everything
        assert torch.arange(3).tolist() == 3 * [int(everything)]
