"""Test that a signal ends a run between two steps and that the resumed run equals an uninterrupted one."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import lightning
import pytest
import torch

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.training.callbacks import Checkpoints, Interruption
from dgsr.training.loop.csv_log import CsvLog
from tests.small_run import make_data, make_module, make_trainer


class Signal(lightning.Callback):
    """Send a signal to this process in the middle of a step."""

    def __init__(self, number: int, at_batch: int) -> None:
        self.number, self.at_batch = number, at_batch

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == self.at_batch:
            os.kill(os.getpid(), self.number)


def _fit(folder: Path, *callbacks: lightning.Callback, resume: bool = False) -> dict[str, torch.Tensor]:
    module, saving = make_module(3, adversarial=False), Checkpoints(str(folder), every_steps=100, monitor="psnr")
    trainer = make_trainer(callbacks=[Interruption(str(folder)), saving, *callbacks])
    trainer.fit(module, make_data(), ckpt_path=folder / "last.ckpt" if resume else None)
    return module.state_dict()


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


@pytest.mark.parametrize("number", SIGNALS)
def test_current_step_is_finished_and_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture, number: int) -> None:
    handlers = [signal.getsignal(n) for n in SIGNALS]
    with pytest.raises(SystemExit):
        _fit(tmp_path, Signal(number, at_batch=1))
    assert read_checkpoint(tmp_path / "last.ckpt")["dgsr"]["step"] == 2
    assert f"resume='{tmp_path}'" in caplog.text
    assert [signal.getsignal(n) for n in SIGNALS] == handlers

    resumed, whole = _fit(tmp_path, resume=True), _fit(tmp_path / "whole")
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())


def test_interrupted_step_is_validated_before_saving(tmp_path: Path) -> None:
    module, saving = make_module(3, adversarial=False), Checkpoints(str(tmp_path), every_steps=100, monitor="psnr")
    callbacks = [saving, Interruption(str(tmp_path)), Signal(signal.SIGINT, at_batch=1)]
    with pytest.raises(SystemExit):
        make_trainer(validate_every_steps=2, callbacks=callbacks).fit(module, make_data())
    ours = read_checkpoint(tmp_path / "last.ckpt")["dgsr"]
    assert ours["step"] == 2
    assert [result["step"] for result in ours["validations"]] == [2]


def test_validations_and_logs_keep_their_intervals_after_resume(tmp_path: Path) -> None:
    """A run that was cut off after its first and its fourth step leaves the log of one that was not."""

    def fit(folder: Path, *stop: lightning.Callback) -> None:
        saving = Checkpoints(str(folder), every_steps=100, monitor="psnr")
        callbacks, last = [saving, Interruption(str(folder)), *stop], folder / "last.ckpt"
        logging: dict[str, Any] = {"logger": CsvLog(str(folder)), "log_every_n_steps": 2}
        trainer = make_trainer(validate_every_steps=3, callbacks=callbacks, **logging)
        trainer.fit(make_module(7, adversarial=False), make_data(), ckpt_path=last if last.exists() else None)

    fit(tmp_path / "whole")
    for at_batch in (0, 3):
        with pytest.raises(SystemExit):
            fit(tmp_path / "cut", Signal(signal.SIGTERM, at_batch))
    fit(tmp_path / "cut")
    assert (tmp_path / "cut" / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()


def test_job_is_requeued_on_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scontrol, called = tmp_path / "scontrol", tmp_path / "called"
    scontrol.write_text(f'#!/bin/sh\necho "$@" > "{called}"\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with pytest.raises(SystemExit):
        _fit(tmp_path / "term", Signal(signal.SIGTERM, at_batch=0))
    assert not called.exists()
    with pytest.raises(SystemExit):
        _fit(tmp_path / "usr1", Signal(signal.SIGUSR1, at_batch=0))
    assert called.read_text() == "requeue 17\n"
