"""Check a sweep from its command line to its closing summary."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.sweeps import reading, session, sweep_of, sweeping
from dgsr.apps.sweeps.folder import SweepFolder
from dgsr.checks import UserError
from tests.apps.sweeps.commands import ENVIRONMENT, PROGRAM, rerun, starts


def parse_sweep(words: list[str]) -> tuple[list[str], SweepFolder | None]:
    command, folder = sweep_of(CommandLine.parse(words))
    return command.words, folder


def test_a_single_run_is_not_a_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["seed=1"], ["sweep=ablation", "hydra.run.dir=here"]):
        assert parse_sweep(arguments) == (arguments, None)
    assert list(tmp_path.iterdir()) == []


def test_the_directory_is_fixed_before_hydra_starts(tmp_path: Path) -> None:
    logs = f"paths.logs={tmp_path}"
    for given in (["-m", "seed=0,1", logs], ["sweep=ablation", logs]):
        arguments, folder = parse_sweep(given)
        assert folder is not None
        assert folder.path.parent == tmp_path / "train" / "multiruns"
        kept = [argument for argument in given if argument != "-m"]
        assert arguments == ["-m", *kept, f"hydra.sweep.dir='{folder.path}'"]
        assert folder.command.arguments == kept
        again, same = parse_sweep([*arguments[:-1], f"hydra.sweep.dir={folder.path}"])
        assert (again, same and same.path) == (arguments, folder.path)
        with pytest.raises(UserError, match="to hold the sweep"):
            parse_sweep(["-m", "seed=5", f"hydra.sweep.dir={folder.path}"])
        (folder.path / "sweep.json").unlink()


@pytest.mark.parametrize("option", ["--cfg job", "--cfg=job", "-c job", "--help", "-h", "--hydra-help", "--info", "-i"])
def test_printing_flags_start_no_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.chdir(tmp_path)
    shown = option.split()
    printed = ["--info=all"] if option in ("--info", "-i") else shown
    assert parse_sweep(["sweep=ablation", *shown]) == ([*printed, "sweep=ablation"], None)
    assert parse_sweep(["-m", "seed=3,4", *shown]) == ([*printed, "seed=3"], None)
    assert list(tmp_path.iterdir()) == []


def test_sweeps_of_the_same_second_have_separate_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "datetime", Mock(now=lambda: datetime(2026, 1, 2)))
    folders = [parse_sweep(["-m", f"seed={seed},9", f"paths.logs={tmp_path}"])[1] for seed in range(3)]
    names = [folder.path.name for folder in folders if folder is not None]
    assert names == [f"2026-01-02_00-00-00{number}" for number in ("", "_2", "_3")]


def test_unsuitable_commands_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="dgsr rerun"):
        parse_sweep(["-m", "resume='a'", "hydra.run.dir='a'"])
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(UserError, match="torchrun"):
        parse_sweep(["-m", "seed=0,1"])


def test_a_report_that_cannot_be_written_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = parse_sweep(["-m", "seed=0,1", f"paths.logs={tmp_path}"])
    assert folder is not None
    (folder.path / "0" / "validation").mkdir(parents=True)
    (folder.path / "0" / "console.log").touch()
    (folder.path / "0" / "summary.json").touch()
    monkeypatch.setattr(reading, "write_report", Mock(side_effect=UserError("Expected room.")))
    with pytest.raises(SystemExit) as stop, sweeping(folder):
        pass
    assert stop.value.code == 1
    output = capsys.readouterr().err
    assert f"No report: Expected room. Once that is fixed: dgsr report {folder.path}" in output
    assert "1 of 1 started jobs done" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_leaves_no_process_and_resumes(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, str(PROGRAM), "-m", "hydra.sweep.dir=sweep", "x=1,2", "wait=100"]
    attended = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a background process ignores SIGINT
    streams: dict[str, Any] = {"text": True, "stderr": subprocess.PIPE, "preexec_fn": attended}
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, **streams) as parent:
        checkpoint = tmp_path / "sweep" / "0" / "checkpoints" / "last.ckpt"
        deadline = time.monotonic() + 60
        while not checkpoint.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        parent.send_signal(number)
        _, said = parent.communicate(timeout=60)
    assert parent.returncode == 130
    assert "0 was interrupted\nResume with: dgsr rerun" in said
    child = int((tmp_path / "sweep" / "0" / "starts.txt").read_text().split()[-1])
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)

    (tmp_path / "fixed").touch()
    done = rerun(tmp_path)
    assert (done.returncode, "2 of 2" in done.stderr) == (0, True), done.stderr
    assert starts(tmp_path, 0) == ["None", str(tmp_path / "sweep" / "0")]
    assert starts(tmp_path, 1) == ["None"]
