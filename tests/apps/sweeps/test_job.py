"""Check that jobs run in separate processes and do not disturb each other."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment

from dgsr.apps.sweeps.job import child_environment
from dgsr.checks import UserError
from tests.apps.sweeps.commands import rerun, starts, sweep

LAUNCHERS = {"basic": "hydra", "joblib": "hydra_plugins.hydra_joblib_launcher", "submitit_local": "submitit"}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_failing_job_does_not_stop_others_and_is_rerun_alone(tmp_path: Path, launcher: str) -> None:
    if importlib.util.find_spec(LAUNCHERS[launcher].partition(".")[0]) is None:
        pytest.skip(f"needs the launcher {launcher}: pip install 'dgsr[sweeps]'")
    options = [] if launcher == "basic" else [f"hydra/launcher={launcher}"]
    done = sweep(tmp_path, "x=1,7,3", *options)
    assert done.returncode == 1
    assert "2 of 3 started jobs done" in done.stderr
    assert "  1 failed: Expected x of 3 or less, but got 7." in done.stderr
    assert "dgsr rerun" in done.stderr

    (tmp_path / "fixed").touch()
    done = rerun(tmp_path)
    assert (done.returncode, "3 of 3" in done.stderr) == (0, True), done.stderr
    assert starts(tmp_path, 0) == starts(tmp_path, 2) == ["None"]
    assert starts(tmp_path, 1) == ["None", str(tmp_path / "sweep" / "1")]


def test_a_job_out_of_time_is_unfinished_and_resumes(tmp_path: Path) -> None:
    done = sweep(tmp_path, "x=1", "text='out of time',other")
    assert "1 of 2 started jobs done" in done.stderr
    assert "failed" not in done.stderr
    assert "Job 0 is out of time. Resume it with: dgsr rerun" in done.stdout
    (tmp_path / "fixed").touch()
    assert "2 of 2" in rerun(tmp_path).stderr
    assert starts(tmp_path, 0) == ["None", str(tmp_path / "sweep" / "0")]


def test_values_of_any_kind_reach_the_job(tmp_path: Path) -> None:
    assert sweep(tmp_path, "x=1", r"text='it\'s [a=b], c','${x} é'").returncode == 0
    texts = [json.loads((tmp_path / "sweep" / job / "summary.json").read_text())["text"] for job in "01"]
    assert texts == ["it's [a=b], c", "1 é"]


def test_config_dir_reaches_jobs_and_reruns(tmp_path: Path) -> None:
    own = tmp_path / "mine" / "own"
    own.mkdir(parents=True)
    for name, value in {"a": 7, "b": 2}.items():
        (own / f"{name}.yaml").write_text(f"# @package _global_\nx: {value}\n")
    done = sweep(tmp_path, "+own=a,b", "--config-dir", "mine")
    assert "0 failed: Expected x of 3 or less, but got 7." in done.stderr
    assert "1 of 2 started jobs done" in done.stderr
    (tmp_path / "fixed").touch()
    (tmp_path / "sweep" / "0" / "checkpoints" / "last.ckpt").unlink()
    assert "2 of 2" in rerun(tmp_path).stderr


def test_rerunning_a_search_repeats_only_missing_jobs(tmp_path: Path) -> None:
    pytest.importorskip("optuna", reason="needs the sweeper: pip install 'dgsr[sweeps]'")
    search = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3", "hydra.sweeper.n_jobs=1", "x=interval(0,3)"]
    assert sweep(tmp_path, *search, "hydra.sweeper.sampler.seed=0").returncode == 0
    last = tmp_path / "sweep" / "2" / "summary.json"
    before = last.read_text()
    last.unlink()
    assert rerun(tmp_path).returncode == 0
    assert last.read_text() == before
    assert [len(starts(tmp_path, job)) for job in range(3)] == [1, 1, 2]


def test_a_job_in_one_slurm_task_starts_its_own_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "1")
    monkeypatch.setenv("SLURM_JOB_NAME", "sweep")
    assert SLURMEnvironment.detect()
    for name, value in child_environment().items():
        monkeypatch.setenv(name, value)
    assert not SLURMEnvironment.detect()
    monkeypatch.setenv("SLURM_NTASKS", "4")
    with pytest.raises(UserError, match="tasks_per_node=1"):
        child_environment()
