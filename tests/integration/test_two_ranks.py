"""Two processes train, stop and go on together, from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dgsr.checkpoints.trainer import read_checkpoint

ROOT = Path(__file__).parents[2]
SMALL = ("debug=fdr", "objective.reconstruction.lpips=0", "metrics.names=[psnr]", "callbacks.checkpoints.monitor=psnr")


def _train(logs: Path, *arguments: str) -> None:
    environment = os.environ | {"DGSR_LOGS": str(logs), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    done = subprocess.run(command, cwd=logs, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


@pytest.mark.slow
def test_a_run_of_two_ranks_goes_on_in_a_folder_of_any_name(tmp_path: Path) -> None:
    logs = tmp_path / "logs, a=b [c]"
    logs.mkdir()
    _train(logs, *SMALL, "trainer=ddp_sim", "run.max_steps=2")
    _train(logs, "resume=last", "run.max_steps=3")
    [run] = (logs / "train" / "runs").iterdir()
    ours = read_checkpoint(run / "checkpoints" / "last.ckpt")["dgsr"]
    assert (ours["step"], ours["position"]) == (3, 6)
    assert [found["step"] for found in ours["validations"]] == [0, 1, 2, 3]
