"""Configs composed outside their program are those it would run with, and as strictly checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.composing import composed, runs_folder, sweeps_folder
from dgsr.checks import UserError


def test_overrides_are_applied() -> None:
    cfg = composed("train", ["experiment=quick", "data.crop_px=96"])
    assert (cfg.data.crop_px, cfg.scale, cfg.paths.run) == (96, 4, "none")


def test_a_mistyped_key_ends_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        composed("train", ["data.crp_px=96"])
    assert stop.value.code == 2
    assert "Did you mean data.crop_px?" in capsys.readouterr().err


@pytest.mark.parametrize("swept", ["seed=0,1", "seed=range(3)", "degradation=s3diff,none"])
def test_several_runs_at_once_are_refused(swept: str) -> None:
    with pytest.raises(UserError, match=r"the arguments of one run.*one value"):
        composed("train", [swept])


def test_a_missing_value_is_refused() -> None:
    with pytest.raises(UserError, match=r"estimator\.path"):
        composed("train", ["experiment=paper"])


def write_experiments(folder: Path) -> None:
    (folder / "experiment").mkdir()
    for name, base in {"mine": "estimator", "again": "/experiment/mine"}.items():
        defaults = f"# @package _global_\ndefaults: [quick, {base}, _self_]\n"
        (folder / "experiment" / f"{name}.yaml").write_text(defaults)


@pytest.mark.parametrize("experiment", ["estimator", "mine", "again"])
def test_an_experiment_that_builds_on_another_has_its_task(tmp_path: Path, experiment: str) -> None:
    write_experiments(tmp_path)
    command = CommandLine((f"experiment={experiment}",), config_dir=tmp_path)
    assert runs_folder(command) == Path("logs/estimator/runs")
    assert sweeps_folder(command) == Path("logs/estimator/multiruns")


def test_a_custom_paths_config_decides_where_runs_are(tmp_path: Path) -> None:
    (tmp_path / "paths").mkdir()
    (tmp_path / "paths" / "cluster.yaml").write_text("defaults: [default]\nlogs: /scratch/runs\n")
    assert runs_folder(CommandLine(("paths=cluster",), config_dir=tmp_path)) == Path("/scratch/runs/train/runs")


def test_overrides_of_a_run_to_resume_need_not_compose_alone(tmp_path: Path) -> None:
    command = CommandLine(("generator.nowhere=3", "experiment=estimator", f"paths.logs={tmp_path}"))
    assert runs_folder(command) == tmp_path / "estimator" / "runs"


def test_a_command_line_that_does_not_compose_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        runs_folder(CommandLine(("experiment=qick",)))
    assert "Did you mean quick?" in capsys.readouterr().err
