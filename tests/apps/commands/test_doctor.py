"""`dgsr doctor`: which check is run, on which config."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from dgsr.apps import cli
from dgsr.apps.commands.doctor import CHECKS


def test_every_check_has_a_module() -> None:
    assert all(callable(import_module(f"dgsr.apps.doctor.{name}").examine) for name in CHECKS)


def test_the_check_gets_the_composed_config(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dgsr.apps.doctor.memory.examine", lambda cfg: f"crops of {cfg.data.crop_px}")
    cli.main(["doctor", "--memory", "debug=fdr", "data.crop_px=96"])
    assert capsys.readouterr().out == "crops of 96\n"


def test_the_check_uses_your_own_configs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "# @package _global_\ndefaults: [quick]\ndata: {crop_px: 96}\n"
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dgsr.apps.doctor.memory.examine", lambda cfg: f"crops of {cfg.data.crop_px}")
    cli.main(["doctor", "--memory", "--config-dir", "mine", "experiment=mine"])
    assert capsys.readouterr().out == "crops of 96\n"


def test_a_check_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["doctor", "debug=fdr"])
    assert stop.value.code == 2
    assert "--memory" in capsys.readouterr().err
