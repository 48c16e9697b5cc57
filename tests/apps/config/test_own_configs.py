"""A folder of one's own configs is found wherever the words stand, and Hydra composes from it after conf/."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose

from dgsr.apps import conf_dir, preflight
from dgsr.apps.config.own_configs import composing, naming, own_configs
from dgsr.apps.runs.resume import task_name
from dgsr.checks import UserError


@pytest.mark.parametrize("words", [["--config-dir", "mine"], ["--config-dir=mine"], ["-cd", "mine"]])
def test_the_folder_is_meant_from_where_the_user_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    own, others = own_configs(["-m", "seed=0", *words, "scale=2"])
    assert (own, others) == (tmp_path / "mine", ["-m", "seed=0", "scale=2"])
    assert naming(own) == [f"--config-dir={tmp_path}/mine"]


def test_without_the_option_nothing_is_added() -> None:
    assert own_configs(["seed=0", "-m"]) == (None, ["seed=0", "-m"])
    assert naming(None) == []


@pytest.mark.parametrize("words", [["--config-dir=gone"], ["--config-dir="], ["--config-dir"]])
def test_what_is_no_folder_is_refused(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"Expected --config-dir to name a folder of configs, but got (gone|no name)"):
        own_configs(words)


def test_own_choices_stand_beside_those_of_the_package_which_come_first(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults: [quick]\nseed: 7\n")
    (tmp_path / "experiment" / "quick.yaml").write_text("# @package _global_\nseed: 8\n")
    with composing(conf_dir(), tmp_path):
        assert compose("train", ["experiment=mine"]).seed == 7
        assert compose("train", ["experiment=quick"]).seed == 0


def test_an_experiment_of_ones_own_has_its_own_task(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("task_name: finetune\n")
    assert task_name([f"--config-dir={tmp_path}", "experiment=mine"]) == "finetune"
    assert task_name(["experiment=mine"]) == "train"


def test_an_experiment_that_builds_on_another_has_its_task(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    for name, base in (("mine", "estimator"), ("again", "/experiment/mine")):
        (tmp_path / "experiment" / f"{name}.yaml").write_text(
            f"# @package _global_\ndefaults: [quick, {base}, _self_]\n"
        )
    for name in ("mine", "again"):
        with composing(conf_dir(), tmp_path):
            composed = compose("train", [f"experiment={name}"]).task_name
        assert task_name([f"--config-dir={tmp_path}", f"experiment={name}"]) == composed == "estimator"


def test_experiments_that_build_on_each_other_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    for name, base in (("a", "b"), ("b", "a")):
        (tmp_path / "experiment" / f"{name}.yaml").write_text(f"defaults: [{base}]\n")
    arguments = [f"--config-dir={tmp_path}", "experiment=a"]
    assert task_name(arguments) == "train"
    with pytest.raises(SystemExit):
        preflight(arguments, "train", conf_dir())
    assert "some that build on each other. Mend their defaults." in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"a: {", "# \u00e9\na: 1".encode("latin-1")])
def test_a_config_that_is_no_yaml_is_named(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    for group in ("experiment", "metrics"):
        (tmp_path / group).mkdir()
        (tmp_path / group / "broken.yaml").write_bytes(content)
    with pytest.raises(UserError, match=r"Expected a config, but got .*broken\.yaml .*\. Mend it\."):
        task_name([f"--config-dir={tmp_path}", "experiment=broken"])
    with pytest.raises(SystemExit):
        preflight([f"--config-dir={tmp_path}", "metrics=broken"], "evaluate", conf_dir())
    assert capsys.readouterr().err.startswith("Expected configs in YAML, but got: ")
