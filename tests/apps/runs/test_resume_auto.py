"""Check that `resume=auto` resumes the run of the same experiment, or starts a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dgsr.checks import UserError
from tests.apps.runs.test_resume import expand, make_run


def test_auto_resumes_the_same_experiment_or_starts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    assert expand(["seed=1", "resume=auto"]) == ["seed=1"]
    make_run(tmp_path, "a", ["seed=1", "run.max_steps=3"], time=1)
    newest = make_run(tmp_path, "b", ["seed=1", "trainer=cpu"], time=2)
    make_run(tmp_path, "c", ["seed=2"], time=3)
    make_run(tmp_path, "d", ["seed=1"], time=4, checkpoint=False)
    place = [f"resume='{newest}'", f"hydra.run.dir='{newest}'"]
    expected = ["seed=1", "trainer=cpu", "run.max_steps=9", "seed=1", *place]
    assert expand(["run.max_steps=9", "seed=1", "resume=auto"]) == expected
    assert expand(["seed=3", "resume=auto"]) == ["seed=3"]
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert expand(["seed=1"]) == ["seed=1", "trainer=cpu", "seed=1", *place]


def test_auto_resumes_a_run_with_added_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    run = make_run(tmp_path, "a", ["+degradation.clean_prob=0.1", "++seed=1"], time=1)
    given = ["+degradation.clean_prob=0.1", "seed=1", "+trainer.fast_dev_run=false", "resume=auto"]
    first = expand(given)
    assert f"resume='{run}'" in first
    (run / ".hydra" / "overrides.yaml").write_text("".join(f"- {override}\n" for override in first))
    assert f"resume='{run}'" in expand(given)


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("trainer.precision=bf16-mixed", False),
        ("+trainer.precision=bf16-mixed", False),
        ("trainer.devices=2", True),
        ("data.num_workers=4", True),
        ("data.train.in_memory=true", True),
        ("data.train.limit=4", False),
    ],
)
def test_auto_ignores_only_settings_that_leave_the_result_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, same: bool
) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    run = make_run(tmp_path, "a", ["seed=1"], time=1)
    assert (f"resume='{run}'" in expand(["seed=1", given, "resume=auto"])) is same
    (run / ".hydra" / "overrides.yaml").write_text(f"- seed=1\n- {given}\n")
    assert (f"resume='{run}'" in expand(["seed=1", "resume=auto"])) is same
    assert f"resume='{run}'" in expand(["seed=1", given, "resume=auto"])


def test_auto_resumes_the_run_in_a_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    make_run(tmp_path, "b", ["seed=1"], time=9)
    mine = tmp_path / "train" / "runs" / "mine"
    given = [f"paths.run={mine}", "seed=1"]
    fresh = [f"hydra.run.dir={mine}", "seed=1"]
    assert expand([*given, "resume=auto"]) == fresh
    make_run(tmp_path, "mine", ["seed=1"], time=1)
    place = [f"resume='{mine}'", f"hydra.run.dir='{mine}'"]
    assert expand([*given, "resume=auto"]) == ["seed=1", *fresh, *place]
    with pytest.raises(UserError, match=rf"a folder without a run, but got {mine}\. Resume it with resume="):
        expand(given)
    assert expand([*given, "--cfg", "job"]) == ["--cfg", "job", *fresh]
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert expand(given) == ["seed=1", *fresh, *place]


def test_last_ignores_runs_of_another_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    make_run(tmp_path, "a", ["task_name=finetune"], time=1)
    (tmp_path / "train").rename(tmp_path / "finetune")
    assert expand(["task_name=finetune", "resume=last"])[0] == "task_name=finetune"
    with pytest.raises(UserError, match="Start one"):
        expand(["resume=last"])


def test_runs_of_an_experiment_with_another_task_are_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    make_run(tmp_path, "a", ["experiment=estimator"], time=1)
    (tmp_path / "train").rename(tmp_path / "estimator")
    make_run(tmp_path, "b", [], time=2)
    for choice in ("auto", "last"):
        arguments = expand(["experiment=estimator", f"resume={choice}"])
        assert arguments[-1] == f"hydra.run.dir='{tmp_path}/estimator/runs/a'"
    assert expand(["resume=last"])[-1] == f"hydra.run.dir='{tmp_path}/train/runs/b'"


@pytest.mark.parametrize("how", ["last", "auto"])
def test_runs_of_a_custom_paths_config_are_resumed(tmp_path: Path, how: str) -> None:
    own, logs = tmp_path / "own", tmp_path / "scratch"
    (own / "paths").mkdir(parents=True)
    (own / "paths" / "cluster.yaml").write_text(f"defaults: [default]\nlogs: {logs}\n")
    run = make_run(logs, "a", ["paths=cluster"], time=1)
    record = {"hydra": {"runtime": {"config_sources": [{"provider": "command-line", "path": str(own)}]}}}
    (run / ".hydra" / "hydra.yaml").write_text(json.dumps(record))
    resumed_words = expand([f"--config-dir={own}", "paths=cluster", f"resume={how}"])
    assert resumed_words[-1] == f"hydra.run.dir='{run}'"


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("~callbacks.panels", True),
        ("~logger", True),
        ("+callbacks.panels.extra=1", True),
        ("++callbacks.panels.num_images=2", True),
        ("+trainer.fast_dev_run=false", True),
        ("~degradation", False),
        ("+degradation.clean_prob=0.1", False),
        ("++seed=3", False),
    ],
)
def test_prefixes_do_not_distinguish_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, same: bool
) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    run = make_run(tmp_path, "a", ["seed=1"], time=1)
    assert (f"resume='{run}'" in expand(["seed=1", given, "resume=auto"])) is same
    (run / ".hydra" / "overrides.yaml").write_text(json.dumps(["seed=1", given]))
    assert f"resume='{run}'" in expand(["seed=1", given, "resume=auto"])
    assert (f"resume='{run}'" in expand(["seed=1", "resume=auto"])) is same
