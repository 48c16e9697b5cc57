"""Test when checkpoints are saved, linked and deleted."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path

import pytest

from dgsr.checkpoints.trainer import read_checkpoint
from dgsr.checks import UserError
from dgsr.training.callbacks import Checkpoints
from dgsr.training.data.validation_sets import ValidationSet
from tests.small_run import make_data, make_module, make_trainer


def _steps(folder: Path) -> dict[str, int]:
    return {path.name: read_checkpoint(path)["dgsr"]["step"] for path in sorted(folder.iterdir())}


def test_last_and_best_checkpoints_are_kept(tmp_path: Path) -> None:
    module, saving = make_module(5), Checkpoints(str(tmp_path), every_steps=2, keep_last=2, monitor="psnr")
    make_trainer(validate_every_steps=2, callbacks=[saving]).fit(module, make_data())
    files = _steps(tmp_path)
    best = max(module.validations, key=lambda result: result["psnr"])["step"]
    assert files == {"best.ckpt": best, "last.ckpt": 5, "step_0000004.ckpt": 4, "step_0000005.ckpt": 5}


def test_file_is_copied_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    saving = Checkpoints(str(tmp_path), every_steps=1, keep_last=1, monitor="psnr")
    make_trainer(1, callbacks=[saving]).fit(make_module(2, adversarial=False), make_data())
    assert {name: step for name, step in _steps(tmp_path).items() if "best" not in name} == {
        "last.ckpt": 2,
        "step_0000002.ckpt": 2,
    }


def test_unknown_metric_is_refused(tmp_path: Path) -> None:
    saving = Checkpoints(str(tmp_path), every_steps=2, monitor="psrn")
    with pytest.raises(UserError, match="monitor among psnr"):
        make_trainer(callbacks=[saving]).validate(make_module(1), make_data(), verbose=False)
    with pytest.raises(UserError, match="every_steps above 0"):
        Checkpoints(str(tmp_path), every_steps=0)


def test_metric_of_a_named_set_can_be_monitored(tmp_path: Path) -> None:
    data = make_data(val_sets={"small": ValidationSet("bundled:val", limit=1, crop_px=32)})
    module, saving = make_module(1, adversarial=False), Checkpoints(str(tmp_path), every_steps=1, monitor="small/psnr")
    make_trainer(1, callbacks=[saving]).fit(module, data)
    assert saving.best == module.validations[-1]["small/psnr"] != module.validations[-1]["psnr"]
    with pytest.raises(UserError, match="monitor among psnr, small/psnr"):
        make_trainer(callbacks=[Checkpoints(str(tmp_path), 1, monitor="other/psnr")]).fit(module, data)


def test_nan_is_never_the_best(tmp_path: Path) -> None:
    module, saving = make_module(1, adversarial=False), Checkpoints(str(tmp_path), every_steps=1, monitor="psnr")
    for value, improved in [(math.nan, False), (20.0, True), (math.nan, False), (19.0, False), (21.0, True)]:
        module.validations.append({"psnr": value})
        assert saving._improved(module) is improved


def test_best_value_is_reset_when_another_metric_is_monitored(tmp_path: Path) -> None:
    state = {"monitor": "psnr", "best": 24.0}
    same, other = (Checkpoints(str(tmp_path), every_steps=1, monitor=name) for name in ("psnr", "ssim"))
    same.load_state_dict(state)
    other.load_state_dict(state)
    assert (same.best, other.best) == (24.0, None)


def test_restarted_run_keeps_its_newest_files(tmp_path: Path) -> None:
    for step in (8, 9):
        (tmp_path / f"step_{step:07d}.ckpt").touch()
    saving = Checkpoints(str(tmp_path), every_steps=1, keep_last=1, monitor="psnr")
    make_trainer(callbacks=[saving]).fit(make_module(1, adversarial=False), make_data())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt", "step_0000001.ckpt"]


def test_checkpoint_is_also_saved_after_minutes(tmp_path: Path) -> None:
    saving = Checkpoints(str(tmp_path), every_steps=100, every_minutes=1e-6, keep_last=9, monitor="psnr")
    make_trainer(callbacks=[saving]).fit(make_module(3, adversarial=False), make_data())
    assert sorted(_steps(tmp_path).values()) == [1, 2, 3, 3, 3]  # the best and the last are names of the third
    with pytest.raises(UserError, match="save_every_minutes above 0"):
        Checkpoints(str(tmp_path), every_steps=1, every_minutes=0.0)


def test_partial_files_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".step_0000001.ckpt.17.tmp").touch()
    saving = Checkpoints(str(tmp_path), every_steps=1, monitor="psnr")
    make_trainer(callbacks=[saving]).fit(make_module(1, adversarial=False), make_data())
    assert sorted(_steps(tmp_path)) == ["best.ckpt", "last.ckpt", "step_0000001.ckpt"]


def test_time_limit_restarts_with_each_job(tmp_path: Path) -> None:
    saving = Checkpoints(str(tmp_path), every_steps=100, monitor="psnr")
    module = make_module(9, adversarial=False)
    make_trainer(callbacks=[saving], max_time={"seconds": 0.001}).fit(module, make_data())
    first = module.step
    assert first < 9
    make_trainer(callbacks=[saving], max_time={"minutes": 9}).fit(module, make_data(), ckpt_path=tmp_path / "last.ckpt")
    assert module.step == 9
