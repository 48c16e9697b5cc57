"""Test the exported models of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checkpoints import load_estimator, load_pretrained
from dgsr.checkpoints.pretrained import describe
from dgsr.checkpoints.s3diff import s3diff_inference, s3diff_state
from dgsr.checkpoints.trainer import generator_state, read_checkpoint
from dgsr.checks import UserError
from dgsr.training.callbacks import Checkpoints, Export
from tests.small_run import make_data, make_module, make_trainer


@pytest.mark.parametrize("ema_decay", [None, 0.9])
def test_best_and_last_weights_are_exported(tmp_path: Path, ema_decay: float | None) -> None:
    saving = Checkpoints(str(tmp_path), every_steps=1, monitor="psnr")
    saving.best = 15.0
    export = Export(str(tmp_path / "exported"), str(tmp_path), s3diff=True)
    module = make_module(2, adversarial=False, trainable="adapter", ema_decay=ema_decay)
    make_trainer(validate_every_steps=1, callbacks=[saving, export]).fit(module, make_data())
    saved = {name: read_checkpoint(tmp_path / f"{name}.ckpt") for name in ("best", "last")}
    states = {name: generator_state(checkpoint) for name, checkpoint in saved.items()}
    for name, state in states.items():
        exported = load_pretrained(tmp_path / "exported" / name).trainable_state()
        assert all(torch.equal(tensor, exported[key]) for key, tensor in state.items())
        theirs = s3diff_state(tmp_path / "exported" / f"{name}.pkl")
        assert all(torch.equal(tensor, state[key]) for key, tensor in theirs.items())
        assert s3diff_inference(tmp_path / "exported" / f"{name}.pkl") == {"scale": 4, "guidance": 1.07}
    assert load_estimator(tmp_path / "exported" / "last") is not None
    assert describe(tmp_path / "exported" / "last")["inference"] == {"scale": 4, "guidance": 1.07}
    trained = generator_state(saved["last"], "raw")
    assert all(torch.equal(t, trained[key]) for key, t in module.generator.trainable_state().items())


def test_network_outside_the_authors_format_is_refused_before_training(tmp_path: Path) -> None:
    export = Export(str(tmp_path), str(tmp_path), s3diff=True)
    with pytest.raises(UserError, match="trainable all"):
        make_trainer(callbacks=[export]).fit(make_module(1, trainable="all"), make_data())
