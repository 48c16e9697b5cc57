"""`dgsr rerun` starts a sweep's own command again; what its jobs then do is tested with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgsr.apps.cli import main
from dgsr.apps.sweeps import SweepFolder
from dgsr.apps.sweeps.folder import Command


def test_the_command_runs_in_its_directory_and_returns_its_exit_code(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import os, sys; open('seen', 'w').write(repr((os.getcwd(), sys.argv[1:]))); sys.exit(3)")
    folder = SweepFolder(tmp_path / "a, b")
    folder.claim(Command(str(program), ["seed=0,1"], str(tmp_path)))
    with pytest.raises(SystemExit) as stop:
        main(["rerun", str(folder.path)])
    assert stop.value.code == 3
    assert (tmp_path / "seen").read_text() == repr(
        (str(tmp_path), ["-m", "seed=0,1", f"hydra.sweep.dir='{folder.path}'"])
    )


def test_any_other_directory_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rerun", str(tmp_path)])
    assert "Expected the directory of a sweep" in capsys.readouterr().err
