"""Check how the state of a job is read from its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.sweeps import SweepFolder
from dgsr.apps.sweeps.folder import Command, JobFolder
from dgsr.checks import UserError


def test_a_job_is_unfinished_until_it_is_done_or_failed(tmp_path: Path) -> None:
    job = JobFolder(tmp_path)
    assert (job.state, job.overrides) == ("unfinished", [])
    job.summary.touch()
    assert job.state == "done"
    job.failure.touch()
    assert job.state == "failed"


def test_keys_of_a_single_start_are_removed_from_a_job(tmp_path: Path) -> None:
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "overrides.yaml").write_text("[seed=1, resume=here]\n")
    assert JobFolder(tmp_path).overrides == ["seed=1"]


def test_jobs_are_sorted_and_other_folders_skipped(tmp_path: Path) -> None:
    for name in ("10", "9", "0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "console.log").touch()
    (tmp_path / ".submitit").mkdir()
    assert [job.path.name for job in SweepFolder(tmp_path).jobs()] == ["0", "9", "10"]


@pytest.mark.parametrize("record", ["", "{", "[]", '{"program": "train.py"}'])
def test_damaged_records_are_named(tmp_path: Path, record: str) -> None:
    for name in ("sweep.json", "summary.json"):
        (tmp_path / name).write_text(record)
    with pytest.raises(UserError, match=r"sweep\.json.* Start a new sweep\."):
        _ = SweepFolder(tmp_path).command
    if "program" not in record:
        with pytest.raises(UserError, match=r"summary\.json.* run the job again"):
            JobFolder(tmp_path).result()


def test_a_directory_belongs_to_one_sweep(tmp_path: Path) -> None:
    folder = SweepFolder(tmp_path / "new")
    with pytest.raises(UserError, match="directory of a sweep"):
        _ = folder.command
    command = Command("train.py", ["seed=0,1"], "/")
    folder.claim(command)
    folder.claim(command)
    assert folder.command == command
    with pytest.raises(UserError, match="seed=0,1"):
        folder.claim(Command("train.py", ["seed=0,2"], "/"))
