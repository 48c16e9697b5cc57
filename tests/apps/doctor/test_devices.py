"""The devices of a run are counted as its trainer will take them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.apps.doctor.devices import num_devices
from tests.apps.runs.test_training import composed


@pytest.mark.parametrize(
    ("devices", "accelerator", "count"), [("-1", "gpu", 6), ("auto", "gpu", 6), ("[0,2]", "gpu", 4), ("-1", "cpu", 2)]
)
def test_devices_are_counted_over_all_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: str, accelerator: str, count: int
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    machine = [f"trainer.devices={devices}", f"trainer.accelerator={accelerator}", "trainer.num_nodes=2"]
    assert num_devices(composed(tmp_path, "debug=fdr", *machine)) == count
