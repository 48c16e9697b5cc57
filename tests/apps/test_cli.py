"""The command line: what there is, and how it ends."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import dgsr
from dgsr.apps import cli
from dgsr.apps.commands import convert, report, upscale

ROOT = Path(__file__).parents[2]


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--help"])
    words = capsys.readouterr().out
    assert stop.value.code == 0
    assert all(command.__name__.rpartition(".")[2] in words for command in cli.COMMANDS)
    assert "    train " in words


@pytest.mark.parametrize("command", [command.__name__.rpartition(".")[2] for command in cli.COMMANDS])
def test_help_of_a_command_shows_no_escapes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert "%%" not in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"{dgsr.__version__}\n"


@pytest.mark.parametrize("argv", [[], ["degrad"], ["degrade", "a.png", "--sed", "x"]])
def test_invalid_arguments_end_with_code_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2
    assert "usage: dgsr" in capsys.readouterr().err


def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["degrade", "nowhere.png"])
    assert stop.value.code == 1
    assert capsys.readouterr().err == (
        "Expected an image, but got nowhere.png, which does not exist. Check the path.\n"
    )


def test_ctrl_c_prints_how_to_resume(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(_: object) -> None:
        raise KeyboardInterrupt

    said = {upscale: "Run the same command again to resume.", convert: "Remove the incomplete OUT", report: ""}
    for command, words in said.items():
        monkeypatch.setattr(command, "run", stopped)
        with pytest.raises(SystemExit) as stop:
            cli.main([command.__name__.rpartition(".")[2], "in", *(["out"] if words else [])])
        assert stop.value.code == 130
        error = capsys.readouterr().err
        assert error.startswith(f"Stopped. {words}".strip())
        assert error.count("\n") == 1


def test_the_installed_program_is_this_one() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert EntryPoint("dgsr", scripts["dgsr"], "console_scripts").load() is cli.main
