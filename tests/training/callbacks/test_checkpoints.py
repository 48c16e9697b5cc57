"""Files are saved on the beat, the best is named, old ones go."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.training.callbacks import Checkpoints
from tests.small_run import make_data, make_module, make_trainer


def _steps(folder: Path) -> dict[str, int]:
    return {path.name: read_checkpoint(path)["dgsr"]["step"] for path in sorted(folder.iterdir())}


def test_the_last_and_the_best_are_kept(tmp_path: Path) -> None:
    module, saving = make_module(5), Checkpoints(str(tmp_path), every_steps=2, keep_last=2, monitor="psnr")
    make_trainer(validate_every_steps=2, callbacks=[saving]).fit(module, make_data())
    files = _steps(tmp_path)
    best = max(module.validations, key=lambda found: found["psnr"])["step"]
    assert files == {"best.ckpt": best, "last.ckpt": 5, "step_0000004.ckpt": 4, "step_0000005.ckpt": 5}


def test_an_unknown_metric_is_refused(tmp_path: Path) -> None:
    saving = Checkpoints(str(tmp_path), every_steps=2, monitor="psrn")
    with pytest.raises(UserError, match="monitor among psnr"):
        make_trainer(validate_every_steps=1, callbacks=[saving]).fit(make_module(1), make_data())
    with pytest.raises(UserError, match="every_steps above 0"):
        Checkpoints(str(tmp_path), every_steps=0)
