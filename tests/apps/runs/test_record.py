"""A run's record is what it was last started with, not what was refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.runs.record import accept_record, keep_record, read_config, saved_overrides, saved_own_configs
from dgsr.checks import UserError


def write(run: Path, *overrides: str) -> None:
    (run / ".hydra").mkdir(parents=True, exist_ok=True)
    (run / ".hydra" / "overrides.yaml").write_text("".join(f"- {override}\n" for override in overrides))


def test_a_start_that_was_refused_leaves_no_trace(tmp_path: Path) -> None:
    write(tmp_path, "seed=1")
    for refused in ("scale=2", "scale=3"):
        keep_record(tmp_path)
        write(tmp_path, "seed=1", refused)
        assert saved_overrides(tmp_path) == ["seed=1"]
    keep_record(tmp_path)
    write(tmp_path, "seed=1", "run.max_steps=9")
    accept_record(tmp_path)
    assert saved_overrides(tmp_path) == ["seed=1", "run.max_steps=9"]
    assert [path.name for path in tmp_path.iterdir()] == [".hydra"]


def test_a_copy_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    write(tmp_path, "seed=1")
    (tmp_path / ".hydra.unread").mkdir()
    keep_record(tmp_path)
    write(tmp_path, "seed=2")
    assert saved_overrides(tmp_path) == ["seed=1"]


def test_what_is_said_for_one_start_is_not_said_again(tmp_path: Path) -> None:
    write(tmp_path, "seed=1", "resume=x", "allow_changes=true", "ckpt_path=y", "hydra.run.dir=z")
    assert saved_overrides(tmp_path) == ["seed=1"]


def test_what_has_not_come_so_far_has_no_record(tmp_path: Path) -> None:
    assert (saved_overrides(tmp_path), saved_own_configs(tmp_path)) == ([], None)
    assert read_config(tmp_path / "none.yaml", "a config") is None


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / ".hydra" / "hydra.yaml").write_text("- a")
    with pytest.raises(UserError, match=r"Expected Hydra's settings, but got .*hydra\.yaml\. Mend it, or move the run"):
        saved_own_configs(tmp_path)
