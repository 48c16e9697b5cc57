"""A few of the faults of `python -m tests.chaos`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_an_interrupted_run_ends_like_an_uninterrupted_one() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--kills", "1", "--only", "SIGTERM", "one bit flipped"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout.count("equal") == 3
