"""A run's record says how it was last started; it is written when the start is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from dgsr.apps.runs.record import read_config, saved_config_dir, saved_overrides, write_overrides, write_record
from dgsr.checks import UserError


@pytest.fixture
def hydra(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [{"provider": "main", "path": "/conf"}, {"provider": "command-line", "path": "/mine"}]
    settings = {"overrides": {"task": ["seed=1"]}, "runtime": {"config_sources": sources}}
    monkeypatch.setattr(HydraConfig, "initialized", lambda: True)
    monkeypatch.setattr(HydraConfig, "get", lambda: OmegaConf.create(settings))


@pytest.mark.usefixtures("hydra")
def test_a_record_holds_overrides_configs_and_their_folder(tmp_path: Path) -> None:
    write_record(tmp_path, OmegaConf.create({"seed": 1, "again": "${seed}"}))
    assert (saved_overrides(tmp_path), saved_config_dir(tmp_path)) == (["seed=1"], Path("/mine"))
    assert read_config(tmp_path / ".hydra" / "config.yaml", "a config")._get_node("again")._value() == "${seed}"
    assert sorted(file.name for file in (tmp_path / ".hydra").iterdir()) == [
        "config.yaml",
        "hydra.yaml",
        "overrides.yaml",
    ]


def test_without_hydra_no_record_is_written(tmp_path: Path) -> None:
    write_record(tmp_path, OmegaConf.create({"seed": 1}))
    assert list(tmp_path.iterdir()) == []


def test_keys_of_a_single_start_are_removed(tmp_path: Path) -> None:
    write_overrides(tmp_path, ["seed=1", "resume=x", "++allow_changes=true", "ckpt_path=y", "hydra.run.dir=z"])
    assert saved_overrides(tmp_path) == ["seed=1"]


def test_old_keys_in_a_record_get_their_new_names(tmp_path: Path) -> None:
    write_overrides(tmp_path, ["objective.reconstruction.l1=2"])
    assert saved_overrides(tmp_path) == ["objective.losses.l1.weight=2"]


def test_a_run_without_a_record_has_no_overrides(tmp_path: Path) -> None:
    assert (saved_overrides(tmp_path), saved_config_dir(tmp_path)) == ([], None)
    assert read_config(tmp_path / "none.yaml", "a config") is None


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "hydra.yaml").write_text("- a")
    with pytest.raises(UserError, match=r"Expected Hydra's settings, but got .*hydra\.yaml\. Fix it, or move the run"):
        saved_config_dir(tmp_path)
