"""Several processes train from the command line: the number may change, machines may be several, one may be lost."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dgsr.checkpoints.trainer import read_checkpoint

ROOT = Path(__file__).parents[2]
SMALL = (
    "debug=fdr",
    "run.micro_batch=2",  # one piece a step for any number of ranks: spectral norm iterates once a piece
    "run.validate_every_steps=2",
    "run.log_every_steps=1",
    "objective.losses.lpips.weight=0",
    "metrics.names=[psnr]",
    "callbacks.checkpoints.monitor=psnr",
    # Adam divides a gradient by its own size: where it is almost zero, a rounding would turn a whole step around.
    "optimizer.generator.eps=1e-3",
    "optimizer.discriminator.eps=1e-3",
)


def _start(logs: Path, *command: str, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | {"DGSR_LOGS": str(logs), "OMP_NUM_THREADS": "1"} | variables
    logs.mkdir(exist_ok=True)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *command], cwd=logs, env=environment, **pipes)


def _train(logs: Path, *arguments: str) -> Path:
    """Train to the end, and return the only run there is."""
    _end(_start(logs, str(ROOT / "train.py"), *arguments))
    [run] = (logs / "train" / "runs").iterdir()
    return run


def _end(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output[-4000:]


def _expect_alike(ours: Path, theirs: Path) -> None:
    first, second = (read_checkpoint(run / "checkpoints" / "last.ckpt") for run in (ours, theirs))
    furthest = {name: (second["state_dict"][name] - t).abs().max() for name, t in first["state_dict"].items()}
    assert max(furthest.values()) < 1e-5, max(furthest.items(), key=lambda item: item[1])
    for validation, other in zip(first["dgsr"]["validations"], second["dgsr"]["validations"], strict=True):
        assert other == pytest.approx(validation, rel=1e-4)
    assert _log(theirs) == pytest.approx(_log(ours), rel=1e-3, abs=1e-5)


def _log(run: Path) -> dict[str, float]:
    with (run / "metrics.csv").open(newline="") as file:
        return {f"{row['name']} at {row['step']}": float(row["value"]) for row in csv.DictReader(file)}


@pytest.mark.slow
def test_a_run_resumes_with_another_number_of_ranks_in_a_folder_of_any_name(tmp_path: Path) -> None:
    alone, changing = tmp_path / "alone", tmp_path / "logs, a=b [c]"
    expected = _train(alone, *SMALL, "trainer=cpu", "run.max_steps=6")
    _train(changing, *SMALL, "trainer=cpu", "run.max_steps=2")
    _train(changing, "resume=last", "trainer=ddp_sim", "run.max_steps=4")  # nine validation images: five and four
    found = _train(changing, "resume=last", "trainer=cpu", "run.max_steps=6")
    _expect_alike(expected, found)


@pytest.mark.slow
def test_two_machines_are_two_ranks(tmp_path: Path) -> None:
    """Two agents of torchrun on this machine stand for two machines."""
    here = _train(tmp_path / "here", *SMALL, "trainer=ddp_sim", "run.max_steps=2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    agent = ("-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", f"--master-port={port}")
    command = (*agent, "--master-addr=127.0.0.1", str(ROOT / "train.py"), *SMALL, "trainer=torchrun")
    settings = ("trainer.accelerator=cpu", "run.max_steps=2")
    agents = [_start(tmp_path / "two", *command[:3], f"--node-rank={n}", *command[3:], *settings) for n in (0, 1)]
    for process in agents:
        _end(process)
    [there] = (tmp_path / "two" / "train" / "runs").iterdir()
    _expect_alike(here, there)
    assert {path.name for path in (tmp_path / "two").iterdir()} == {"train"}  # the second rank has written nothing


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_rank_ends_the_others(tmp_path: Path, lost: int) -> None:
    process = _start(tmp_path, str(ROOT / "train.py"), *SMALL, "trainer=ddp_sim", "run.max_steps=500")
    _wait_for(lambda: next(tmp_path.glob("train/runs/*/checkpoints/last.ckpt"), None))
    [child] = _children(process.pid)
    os.kill([process.pid, child][lost], signal.SIGKILL)
    asked = time.monotonic()
    process.communicate(timeout=60)  # the pipe ends when both are gone
    assert process.returncode != 0
    assert time.monotonic() - asked < 60


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
