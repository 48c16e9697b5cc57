"""Test that checkpoints are written atomically and read without running code."""

from __future__ import annotations

from pathlib import Path

import torch

from dgsr.training.loop.checkpoint_io import AtomicCheckpointIO


def test_written_checkpoint_is_read_back(tmp_path: Path) -> None:
    io = AtomicCheckpointIO()
    io.save_checkpoint({"dgsr": {"step": 3}, "state_dict": {"a": torch.arange(3)}}, tmp_path / "new" / "a.ckpt")
    assert io.load_checkpoint(tmp_path / "new" / "a.ckpt")["dgsr"]["step"] == 3
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.ckpt"]
