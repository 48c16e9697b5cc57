"""A resumed run stays one run on Weights & Biases, and a sweep is a group."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dgsr.checks import UserError
from dgsr.training.loop.wandb_log import identity, wandb_log


def test_a_runs_id_follows_from_its_directory(tmp_path: Path) -> None:
    run, job = tmp_path / "runs" / "a", tmp_path / "multiruns" / "b" / "3"
    assert identity(run) == identity(run)
    assert identity(run)["id"] != identity(job)["id"]
    assert (identity(run)["name"], identity(run)["group"]) == ("a", None)
    assert (identity(job)["name"], identity(job)["group"]) == ("b/3", "b")


def test_without_wandb_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        wandb_log(str(tmp_path))


def test_an_offline_run_resumes_under_its_id(tmp_path: Path) -> None:
    wandb = pytest.importorskip("wandb")
    for step in (1, 2):
        log = wandb_log(str(tmp_path), offline=True)
        log.log_metrics({"train/mse": 0.5}, step)
        assert log.experiment.id == identity(tmp_path)["id"]
        wandb.finish()
    assert len(list(tmp_path.glob(f"wandb/offline-run-*-{identity(tmp_path)['id']}"))) >= 1
