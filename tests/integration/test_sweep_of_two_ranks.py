"""All ranks of a job are started with the job's values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_several_ranks import SMALL

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_rank_has_its_jobs_values(tmp_path: Path) -> None:
    spy = ["+callbacks.spy._target_=tests.rank_record.RankRecord", "+callbacks.spy.directory=${paths.run}"]
    swept = ["optimizer.generator.lr=2e-3", "seed=3"]
    folder = tmp_path / "sweep, a=b"
    command = [sys.executable, str(ROOT / "train.py"), "-m", *SMALL, "trainer=ddp_sim", *swept, *spy]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    directory = f"hydra.sweep.dir='{folder}'"
    done = subprocess.run(
        [*command, directory], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    seen = [json.loads((folder / "0" / f"rank_{rank}.json").read_text()) for rank in (0, 1)]
    assert seen[0] == seen[1] == [pytest.approx(2e-3), 3, 2]
    assert "report.html" in done.stderr
    assert "1 of 1" in (folder / "report.md").read_text()
