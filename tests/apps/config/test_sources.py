"""Configs come from conf/ and, after it, from a folder of your own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hydra import compose

import dgsr
from dgsr.apps import conf_dir, preflight
from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.sources import hydra_sources


def test_the_configs_are_beside_a_checkout_or_inside_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (conf_dir() / "experiment" / "quick.yaml").is_file()
    inside = tmp_path / "dgsr" / "conf"
    inside.mkdir(parents=True)
    (inside / "train.yaml").touch()
    monkeypatch.setattr(dgsr, "__file__", str(tmp_path / "dgsr" / "__init__.py"))
    assert conf_dir() == inside


def test_own_choices_are_added_and_those_of_the_package_win(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults: [quick]\nseed: 7\n")
    (tmp_path / "experiment" / "quick.yaml").write_text("# @package _global_\nseed: 8\n")
    with hydra_sources(conf_dir(), tmp_path):
        assert compose("train", ["experiment=mine"]).seed == 7
        assert compose("train", ["experiment=quick"]).seed == 0


def test_experiments_that_build_on_each_other_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "experiment").mkdir()
    for name, base in (("a", "b"), ("b", "a")):
        (tmp_path / "experiment" / f"{name}.yaml").write_text(f"defaults: [{base}]\n")
    with pytest.raises(SystemExit):
        preflight(CommandLine(("experiment=a",), config_dir=tmp_path), "train", conf_dir())
    assert "some that build on each other. Fix their defaults." in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"a: {", "# \u00e9\na: 1".encode("latin-1")])
def test_a_config_that_is_not_yaml_is_refused(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "broken.yaml").write_bytes(content)
    with pytest.raises(SystemExit):
        preflight(CommandLine(("metrics=broken",), config_dir=tmp_path), "evaluate", conf_dir())
    assert capsys.readouterr().err.startswith("Expected configs in YAML, but got: ")
