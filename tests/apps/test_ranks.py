"""The first process writes the run directory, the others nothing."""

from __future__ import annotations

import pytest

from dgsr.apps.ranks import quiet_follower, rank

QUIET = ["hydra.output_subdir=null", "hydra/job_logging=stdout"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "SLURM_PROCID", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)


def test_a_process_alone_and_the_first_of_several_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (rank(), quiet_follower(["seed=1"])) == (0, ["seed=1"])
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert (rank(), quiet_follower(["seed=1"])) == (0, ["seed=1"])


@pytest.mark.parametrize("name", ["RANK", "SLURM_PROCID", "LOCAL_RANK"])
def test_the_others_write_no_directory(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "3")
    assert rank() == 3
    assert quiet_follower(["seed=1"]) == ["seed=1", "hydra.run.dir=.", *QUIET]
    assert quiet_follower(["hydra.run.dir='a b'"]) == ["hydra.run.dir='a b'", *QUIET]


def test_the_first_process_of_a_second_machine_is_not_the_first_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert rank() == 2
