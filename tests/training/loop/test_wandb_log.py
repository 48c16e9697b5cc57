"""Test logs of Weights & Biases: identity, resume and groups."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dgsr.checks import UserError
from dgsr.training.loop.wandb_log import identity, wandb_log


def test_run_id_follows_from_its_directory(tmp_path: Path) -> None:
    run, job = tmp_path / "runs" / "a", tmp_path / "multiruns" / "b" / "3"
    assert identity(run) == identity(run)
    assert identity(run)["id"] != identity(job)["id"]
    assert (identity(run)["name"], identity(run)["group"]) == ("a", None)
    assert (identity(job)["name"], identity(job)["group"]) == ("b/3", "b")


def test_missing_wandb_is_refused_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        wandb_log(str(tmp_path))


def test_offline_run_resumes_with_its_id(tmp_path: Path) -> None:
    wandb = pytest.importorskip("wandb")
    for step in (1, 2):
        log = wandb_log(str(tmp_path), offline=True)
        log.log_metrics({"train/mse": 0.5}, step)
        assert log.experiment.id == identity(tmp_path)["id"]
        wandb.finish()
    assert len(list(tmp_path.glob(f"wandb/offline-run-*-{identity(tmp_path)['id']}"))) >= 1
