"""A few of the faults of `python -m tests.chaos`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_run_that_is_killed_stopped_and_damaged_ends_as_if_nothing_had_been() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--kills", "1", "--only", "SIGTERM", "one bit flipped"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout.count("equal") == 3
