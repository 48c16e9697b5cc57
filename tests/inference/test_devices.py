"""Devices are named as PyTorch names them, or left to the machine."""

from __future__ import annotations

import pytest
import torch

from dgsr.checks import UserError
from dgsr.inference.devices import device_of


def test_devices() -> None:
    assert device_of("auto").type in ("cpu", "cuda")
    assert device_of(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(UserError, match="cuda:99"):
        device_of("cuda:99")
    with pytest.raises(UserError, match="gpu"):
        device_of("gpu")
