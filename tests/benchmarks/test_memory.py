"""The peak grows with what is held, and is forgotten on request."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmarks.memory import forget_peak, peak_mib


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process forget its peak")
def test_the_peak_is_that_of_what_came_since() -> None:
    forget_peak()
    before = peak_mib()
    torch.ones(64 * 2**18)  # 64 MiB
    assert 60 < peak_mib() - before < 80
    forget_peak()
    assert peak_mib() - before < 20
