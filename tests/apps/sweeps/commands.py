"""Start sweeps of the stand-in program, and `dgsr`, in a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = Path(__file__).with_name("program.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def sweep(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Sweep into `<cwd>/sweep`."""
    return _run(cwd, str(PROGRAM), "-m", "hydra.sweep.dir=sweep", *arguments)


def rerun(cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `dgsr rerun sweep`."""
    return _run(cwd, "-c", "from dgsr.apps.cli import main; main()", "rerun", "sweep")


def starts(cwd: Path, job: int) -> list[str]:
    """Return a line for each process that has run a job: what it resumed."""
    lines = (cwd / "sweep" / str(job) / "starts.txt").read_text().splitlines()
    return [line.rpartition(" ")[0] for line in lines]


def _run(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)
