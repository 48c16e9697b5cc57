"""Check exit codes and messages of programs that fail."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import textwrap
from multiprocessing import resource_sharer
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from safetensors import SafetensorError
from torch.utils.data import DataLoader, Dataset

import dgsr
from dgsr.apps.runs.entry import Advice, run_cleanly
from dgsr.checks import UserError, refuse

PROGRAM = """
    import sys
    import hydra
    from dgsr.apps import run_cleanly
    from dgsr.checks import expect

    def body(cfg):
        expect(cfg.x < 3, "x below 3", cfg.x, "Set x=2.")
        sys.stderr.write(f"ran {cfg.x}\\n")

    @hydra.main(version_base="1.3", config_path=None)
    def main(cfg):
        run_cleanly(lambda: body(cfg))

    main()
"""


def test_results_are_returned() -> None:
    assert run_cleanly(lambda: 3) == 3


def test_a_mistake_of_the_user_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> None:
        raise UserError("Expected a folder, but got nothing.")

    with pytest.raises(SystemExit) as stop:
        run_cleanly(program)
    assert stop.value.code == 1
    assert capsys.readouterr().err == "Expected a folder, but got nothing.\n"


def test_a_mistake_reported_through_hydra_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    node = {"_target_": "dgsr.checks.refuse", "expected": "a folder", "got": "nothing", "remedy": "Make one."}
    with pytest.raises(SystemExit):
        run_cleanly(lambda: instantiate(node))
    assert capsys.readouterr().err == "Expected a folder, but got nothing. Make one.\n"


class Broken(Dataset[int]):
    """Data that cannot be read."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        return refuse("a photograph", "noise", "Look at it.")


def test_a_mistake_reported_by_a_worker_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    loader = DataLoader(Broken(), num_workers=1, multiprocessing_context="fork")
    with pytest.raises(SystemExit):
        run_cleanly(lambda: next(iter(loader)))
    assert capsys.readouterr().err == "Expected a photograph, but got noise. Look at it.\n"


def test_other_errors_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_cleanly(lambda: 1 / 0)
    with pytest.raises(FileNotFoundError):
        run_cleanly(lambda: Path("nowhere").read_text())


def test_a_full_disk_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        Path("/dev/full").write_bytes(b"0" * 100_000)

    def save() -> None:
        with Path("/dev/full").open("wb") as file:
            torch.save(torch.zeros(100_000), file)

    for program in (write, save):
        with pytest.raises(SystemExit):
            run_cleanly(program)
        words = capsys.readouterr().err
        assert words.count("\n") == 1
        assert "No space left on device" in words
        assert "resume=last" in words


def test_a_program_chooses_the_advice_for_a_full_disk(capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        Path("/dev/full").write_bytes(b"0" * 100_000)

    def in_rust() -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    for program in (write, in_rust):
        with pytest.raises(SystemExit):
            run_cleanly(program, Advice(full="Make room, then come back."))
        words = capsys.readouterr().err
        assert words.endswith("No space left on device. Make room, then come back.\n")
        assert words.count("\n") == 1


@pytest.mark.parametrize(("advice", "said"), [(Advice(), ""), (Advice(stopped="It resumes."), " It resumes.")])
def test_ctrl_c_is_one_line(capsys: pytest.CaptureFixture[str], advice: Advice, said: str) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stop:
        run_cleanly(interrupted, advice)
    assert stop.value.code == 130
    assert capsys.readouterr().err == f"Stopped.{said}\n"


class Killed(Dataset[int]):
    """Data whose loading takes so much memory that the system kills the process."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return index


def test_a_missing_permission_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/mine")

    with pytest.raises(SystemExit):
        run_cleanly(program)
    assert (
        capsys.readouterr().err
        == "Expected a place with write permission, but got /mine: Permission denied. Name another one.\n"
    )


def test_a_name_that_cannot_be_used_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    programs = {
        "Not a directory": (file / "x" / "y").mkdir,
        "File exists": file.mkdir,
        "Is a directory": lambda: tmp_path.write_text("x"),
        "File name too long": (tmp_path / ("x" * 300)).touch,
    }
    for reason, program in programs.items():
        with pytest.raises(SystemExit):
            run_cleanly(program)
        words = capsys.readouterr().err
        assert words.startswith(f"Expected a name that can be used, but got {tmp_path}")
        assert words.endswith(f": {reason}. Name another one.\n")


def test_a_killed_worker_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    loader = DataLoader(Killed(), num_workers=1, multiprocessing_context="fork")
    with pytest.raises(SystemExit):
        run_cleanly(lambda: next(iter(loader)))
    words = capsys.readouterr().err
    assert words.count("\n") == 1
    assert re.search("got one that (is killed by signal: Killed|exited unexpectedly)", words)


def test_a_worker_that_dies_during_a_transfer_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    batch = resource_sharer.DupFd(0)
    resource_sharer.stop()  # as if its process were gone
    with pytest.raises(SystemExit):
        run_cleanly(batch.detach)
    words = capsys.readouterr().err
    assert words.count("\n") == 1
    assert "was lost while it handed over a batch" in words


def test_under_hydra_a_mistake_is_one_line(tmp_path: Path) -> None:
    done = _run_program(tmp_path, "+x=7")
    assert (done.returncode, done.stderr) == (1, "Expected x below 3, but got 7. Set x=2.\n")


def test_in_a_sweep_the_other_jobs_run(tmp_path: Path) -> None:
    done = _run_program(tmp_path, "-m", "+x=7,1")
    assert done.returncode == 1
    assert "ran 1\n" in done.stderr
    assert "Expected x below 3, but got 7. Set x=2.\n" in done.stderr
    assert "Traceback" not in done.stderr


def _run_program(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = folder / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    command = [sys.executable, str(program), *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(dgsr.__file__).parents[1])}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
