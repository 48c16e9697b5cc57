"""Test the measurement of peak memory."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmarks.memory import peak_mib, reset_peak


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can reset the peak")
def test_reset_starts_a_new_peak() -> None:
    reset_peak()
    before = peak_mib()
    torch.ones(64 * 2**18)  # 64 MiB
    assert 60 < peak_mib() - before < 80
    reset_peak()
    assert peak_mib() - before < 20
