"""Check that only rank 0 writes the run directory."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lightning.fabric.utilities.rank_zero import _get_rank

import dgsr
from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.runs.ranks import rank, silence_nonzero_ranks

QUIET = "hydra/job_logging=stdout"


def silenced(override: str) -> tuple[str, ...]:
    return silence_nonzero_ranks(CommandLine((override,))).overrides


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def test_rank_0_keeps_its_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (rank(), silenced("seed=1")) == (0, ("seed=1",))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert (rank(), silenced("seed=1")) == (0, ("seed=1",))


@pytest.mark.parametrize("name", ["RANK", "SLURM_PROCID", "LOCAL_RANK"])
def test_other_ranks_create_no_directory(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "3")
    assert rank() == 3
    assert silenced("seed=1") == ("seed=1", "hydra.run.dir=.", QUIET)
    assert silenced("hydra.run.dir='a b'") == ("hydra.run.dir='a b'", QUIET)


def test_local_rank_0_of_a_second_machine_is_not_rank_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert rank() == 2


@pytest.mark.parametrize("names", list(itertools.permutations(["RANK", "SLURM_PROCID", "LOCAL_RANK"], 2)))
def test_the_rank_agrees_with_lightning(monkeypatch: pytest.MonkeyPatch, names: tuple[str, str]) -> None:
    for number, name in enumerate(names):
        monkeypatch.setenv(name, str(number))
    assert rank() == _get_rank()


RANK = """
import time
from pathlib import Path
from dgsr.apps.runs.ranks import end_with_the_launcher
end_with_the_launcher(0.05)
Path("ready").touch()
time.sleep(300)
"""


def test_a_process_ends_with_its_launcher(tmp_path: Path) -> None:
    (tmp_path / "rank.py").write_text(RANK)
    started = f"LOCAL_RANK=1 {sys.executable} rank.py & while [ ! -e ready ]; do sleep 0.1; done"
    environment = os.environ | {"PYTHONPATH": str(Path(dgsr.__file__).parents[1])}
    # The pipe ends, and with it this call, when the rank is gone too, which inherited it.
    subprocess.run(["sh", "-c", started], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, check=True, timeout=60)
