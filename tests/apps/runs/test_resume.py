"""Check that `resume=` restores the command line of a run, in its directory."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.sources import conf_dir
from dgsr.apps.runs.resume import resumed
from dgsr.checks import UserError


def expand(words: list[str]) -> list[str]:
    return resumed(CommandLine.parse(words)).words


def make_run(logs: Path, name: str, overrides: list[str], time: int, checkpoint: bool = True) -> Path:
    run = logs / "train" / "runs" / name
    (run / ".hydra").mkdir(parents=True)
    (run / ".hydra" / "overrides.yaml").write_text("".join(f"- {override}\n" for override in overrides))
    if checkpoint:
        (run / "checkpoints").mkdir()
        (run / "checkpoints" / "last.ckpt").touch()
        os.utime(run / "checkpoints" / "last.ckpt", (time, time))
    return run


def test_other_commands_pass_unchanged(tmp_path: Path) -> None:
    assert expand(["experiment=quick", "seed=1"]) == ["experiment=quick", "seed=1"]
    assert expand(["resume=null"]) == []


def test_paths_run_becomes_hydra_run_dir(tmp_path: Path) -> None:
    assert expand([f"paths.run={tmp_path}", "seed=1"]) == [f"hydra.run.dir={tmp_path}", "seed=1"]


def test_the_newest_run_resumes_with_its_own_overrides_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_run(tmp_path, "b-old", ["seed=1"], time=100)
    newest = make_run(tmp_path, "a-new", ["seed=2", "run.max_steps=5"], time=200)
    make_run(tmp_path, "c-empty", [], time=300, checkpoint=False)
    logs = f"paths.logs={tmp_path}"
    arguments = expand(["resume=last", "run.max_steps=9", logs])
    assert "c-empty, which is newer" in caplog.text
    before, after = ["seed=2", "run.max_steps=5"], ["run.max_steps=9", logs]
    assert arguments == [*before, *after, f"resume='{newest}'", f"hydra.run.dir='{newest}'"]


def test_the_environment_variable_sets_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "a", [], time=1)
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    assert expand(["resume=last"]) == [f"resume='{run}'", f"hydra.run.dir='{run}'"]


def test_logs_may_be_below_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "logs", "a", [], time=1)
    newest = make_run(tmp_path / "logs", "b", [], time=2)
    monkeypatch.chdir(tmp_path)
    assert expand(["resume=last"])[0] == f"resume='{newest}'"


def test_a_resumed_run_can_be_resumed_again(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", ["seed=2", "resume=last", "ckpt_path=other.ckpt"], time=1)
    assert expand([f"resume={run}"]) == ["seed=2", f"resume='{run}'", f"hydra.run.dir='{run}'"]


def test_folders_of_any_name_can_be_resumed(tmp_path: Path) -> None:
    run = make_run(tmp_path, "it's a=b, [x] (1) é", [], time=1)
    given = expand([f"resume={run}"])
    parsed = OverridesParser.create().parse_overrides(given)
    assert [override.value() for override in parsed] == [str(run), str(run)]
    again = expand(given)  # another rank expands the command line of rank 0
    assert {str(override.value()) for override in OverridesParser.create().parse_overrides(again)} == {str(run)}


def test_added_and_deleted_keys_can_be_repeated(tmp_path: Path) -> None:
    own = ["+degradation.clean_prob=0.1", "~callbacks.panels", "+logger@more=csv"]
    run = make_run(tmp_path, "a", own, time=1)
    given = expand([f"resume={run}", "+degradation.clean_prob=0.2", "~callbacks.panels"])
    assert given[:4] == [*own, "++degradation.clean_prob=0.2"]
    (run / ".hydra" / "overrides.yaml").write_text("".join(f"- {override}\n" for override in given))
    again = expand(given)  # another rank expands the command line of rank 0
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        cfg = compose("train", again[:-2])
    assert cfg.degradation.clean_prob == 0.2
    assert "panels" not in cfg.callbacks
    assert cfg.more.csv == cfg.logger.csv


@pytest.mark.parametrize(
    ("own", "new", "stages"),
    [
        (["+degradation.stages={0:{noise_prob:0.5}}"], "+degradation.stages={0:{codec_prob:0.4}}", {0: (0.5, 0.4)}),
        (
            ["+degradation={stages:{0:{noise_prob:0.5}}}"],
            "+degradation={stages:{1:{codec_prob:0.4}}}",
            {0: (0.5, None), 1: (None, 0.4)},
        ),
        (["+degradation.stages.0.noise_prob=0.5"], "degradation.stages.0.noise_prob=0.4", {"0": (0.4, None)}),
        (["+degradation.stages={0:{noise_prob:0.5}}", "~degradation.stages"], "+degradation.stages={}", {}),
    ],
)
def test_repeated_additions_are_merged(
    tmp_path: Path, own: list[str], new: str, stages: dict[int | str, tuple[float, float | None]]
) -> None:
    run = make_run(tmp_path, "a", own, time=1)
    given = expand([f"resume={run}", new])
    (run / ".hydra" / "overrides.yaml").write_text("".join(f"- '{override}'\n" for override in given[:-2]))
    for arguments in (given, expand(given)):
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            composed = compose("train", arguments[:-2]).degradation.stages
        assert {number: (each.get("noise_prob"), each.get("codec_prob")) for number, each in composed.items()} == stages


def test_a_run_resumes_with_its_own_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGSR_LOGS", str(tmp_path))
    own, other = tmp_path / "own", tmp_path / "other"
    (own / "experiment").mkdir(parents=True)
    (own / "experiment" / "mine.yaml").write_text("task_name: train\n")
    (own / "extra").mkdir()
    other.mkdir()
    run = make_run(tmp_path, "a", ["experiment=mine", "+extra=a"], time=1)
    sources = [{"provider": "main", "path": "/conf"}, {"provider": "command-line", "path": str(own)}]
    record = {"hydra": {"runtime": {"config_sources": sources}}}
    (run / ".hydra" / "hydra.yaml").write_text(json.dumps(record))
    place = [f"resume='{run}'", f"hydra.run.dir='{run}'"]
    named = f"--config-dir={own}"
    given = ["experiment=mine", "+extra=a"]
    assert expand(["resume=last"]) == [named, *given, *place]
    assert expand(["resume=last", "--config-dir", str(other)])[0] == f"--config-dir={other}"
    assert expand([*given, named, "resume=auto"]) == [named, *given, "experiment=mine", "extra=a", *place]
    assert expand([f"--config-dir={other}", "seed=1", "resume=auto"]) == [f"--config-dir={other}", "seed=1"]
    assert expand(["seed=1", "-cd", str(own)]) == [named, "seed=1"]
    own.rename(tmp_path / "moved")
    with pytest.raises(
        UserError, match=r"--config-dir of the run, but got .*own, which does not exist\. .*--config-dir FOLDER"
    ):
        expand(["resume=last"])


def test_a_file_for_logs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="which is a file"):
        expand([f"paths.logs={tmp_path}/file", "resume=auto"])


@pytest.mark.parametrize("record", ["a: [", "seed=1", "seed: 1", "\0"])
def test_a_damaged_record_is_named(tmp_path: Path, record: str) -> None:
    run = make_run(tmp_path, "a", [], time=1)
    (run / ".hydra" / "overrides.yaml").write_text(record)
    for choice in ("last", "auto", run):
        with pytest.raises(UserError, match=r"Expected a list of overrides, but got .*a/\.hydra/overrides\.yaml"):
            expand([f"resume={choice}", f"paths.logs={tmp_path}"])


def test_nothing_to_resume_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Start one: dgsr train"):
        expand(["resume=last", f"paths.logs={tmp_path}"])
    with pytest.raises(UserError, match="run directory"):
        expand([f"resume={tmp_path}"])
    run = make_run(tmp_path, "a", [], time=1, checkpoint=False)
    with pytest.raises(UserError, match="before its first"):
        expand([f"resume={run}"])
