"""A command line is split into flags, a folder of configs and overrides; other modules ask it questions."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.config.command_line import CommandLine
from dgsr.checks import UserError


@pytest.mark.parametrize("words", [["--config-dir", "mine"], ["--config-dir=mine"], ["-cd", "mine"]])
def test_the_config_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    command = CommandLine.parse(["-m", "seed=0", *words, "scale=2"])
    assert command == CommandLine(("seed=0", "scale=2"), ("-m",), tmp_path / "mine")
    assert command.words == [f"--config-dir={tmp_path}/mine", "-m", "seed=0", "scale=2"]


@pytest.mark.parametrize("words", [["--config-dir=gone"], ["--config-dir="], ["--config-dir"]])
def test_a_missing_config_folder_is_refused(words: list[str]) -> None:
    with pytest.raises(UserError, match=r"Expected --config-dir to name a folder of configs, but got (gone|no name)"):
        CommandLine.parse(words)


def test_flags_keep_their_values() -> None:
    command = CommandLine.parse(["seed=1", "--cfg", "job", "--info", "-p", "data"])
    assert command.words == ["--cfg", "job", "--info=all", "-p", "data", "seed=1"]
    assert command.is_printing
    assert not command.is_multirun


def test_the_last_value_of_a_key_counts_whatever_its_prefix() -> None:
    command = CommandLine.parse(["seed=1", "++seed='a b'", "~scale", "run.max_steps=3"])
    assert (command.value("seed"), command.value("scale"), command.value("run")) == ("a b", None, None)
    assert command.without("seed", "scale").overrides == ("run.max_steps=3",)
    assert command.plus("x=1").value("x") == "1"


def test_renamed_keys_get_their_new_names() -> None:
    assert CommandLine.parse(["+generator.init_from=a"]).overrides == ("+init_from=a",)
