"""Test splitting of work over ranks; tests/integration runs two processes."""

from __future__ import annotations

import pytest

from dgsr.checks import UserError
from dgsr.evaluation.ranks import Ranks, joined


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_shares_are_disjoint_and_complete(world_size: int) -> None:
    items = list("abcd")
    shares = [Ranks(rank, world_size).share(items) for rank in range(world_size)]
    assert sorted(item for share in shares for item in share) == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_single_process_is_the_first_rank() -> None:
    with joined() as ranks:
        assert ranks == Ranks(0, 1)
        assert ranks.first
        assert ranks.gather([1, 2]) == [1, 2]


def test_several_slurm_tasks_without_torchrun_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_NTASKS", "4")  # tasks of the job; its batch script is a single process
    with joined() as ranks:
        assert ranks == Ranks(0, 1)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    for world_size in ("1", "4"):
        monkeypatch.setenv("WORLD_SIZE", world_size)
        with pytest.raises(UserError, match=r"one SLURM task .*, but got 4\. .*torchrun"), joined():
            pass


def test_incomplete_torchrun_variables_fall_back_to_one_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with joined() as ranks:
        assert ranks == Ranks(0, 1)
    assert "RANK, MASTER_ADDR, MASTER_PORT not" in caplog.text
