"""Test the record of config and data in checkpoints."""

from __future__ import annotations

from pathlib import Path

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.training.callbacks.provenance import Provenance, provenance_of
from tests.small_run import make_data, make_module, make_trainer


def test_config_and_data_fingerprint_are_recorded(tmp_path: Path) -> None:
    config = {"run": {"max_steps": 1, "save_every_steps": "${.max_steps}"}, "resume": None}
    trainer = make_trainer(callbacks=[Provenance(config, "print")])
    trainer.fit(make_module(1, adversarial=False), make_data())
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    assert provenance_of(read_checkpoint(tmp_path / "a.ckpt")) == {"config": config, "data": "print"}
    assert provenance_of({}) is None
