"""`dgsr report` writes beside the runs; what it writes is tested with the evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.cli import main


def test_any_folder_of_runs_has_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name / ".hydra").mkdir(parents=True)
        (tmp_path / name / ".hydra" / "overrides.yaml").write_text(f"[run.max_steps=1, data.root={name}]")
    main(["report", str(tmp_path)])
    assert capsys.readouterr().out == f"{tmp_path}/report.html\n"
    assert "data.root" in (tmp_path / "report.html").read_text()
    assert "2 unfinished of 2 jobs" in (tmp_path / "report.md").read_text()


def test_no_runs_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(SystemExit):
            main(["report", str(folder)])
        assert "Expected a folder with runs in it" in capsys.readouterr().err
