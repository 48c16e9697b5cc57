"""Run trainings in forked processes, so that torch is imported once, and compare their results."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import train
from dgsr.apps.runs import training  # noqa: F401 (imported once, before forking)
from dgsr.checkpoints.trainer import read_checkpoint

#: Eight steps of two micro batches, each step saved, every second one validated.
SMALL = (
    "trainer=cpu",
    "data.crop_px=64",
    "data.val_crop_px=64",
    "data.global_batch=2",
    "run.micro_batch=1",
    "run.max_steps=8",
    "run.validate_every_steps=4",
    "run.save_every_steps=1",
    "run.log_every_steps=1",
    "objective.losses.lpips.weight=0",
    "metrics.names=[psnr]",
    "callbacks.checkpoints.monitor=psnr",
)


class Session:
    """A command line that is started, interrupted and started again.

    Args:
        logs: The folder of all its runs.
        extra: Further overrides.
    """

    def __init__(self, logs: Path, *extra: str) -> None:
        self.logs, self.arguments = logs, [*SMALL, *extra, f"paths.logs={logs}", "resume=auto"]
        logs.mkdir()
        self.pid, self.started = 0, 0.0

    def start(self, before: Callable[[], None] = lambda: None) -> None:
        """Start or resume in its own process; `before` is called in it first."""
        self.started = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            _become(self.arguments, self.logs / "output.txt", before)

    def wait(self) -> int:
        """Return the exit code, negative for a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def run_to_its_end(self) -> Session:
        """Start or resume, and expect success."""
        self.start()
        assert self.wait() == 0, self.output()[-4000:]
        return self

    def end_within(self, seconds: float, number: int) -> str:
        """Send a signal; return the exit code and the time, marked if it exceeds the limit."""
        sent = time.monotonic()
        os.kill(self.pid, number)
        code = self.wait()
        took = time.monotonic() - sent
        return f"exit {code} after {took:.1f} s" + ("" if took < seconds else ": TOO LATE")

    def output(self) -> str:
        """Return the output of all its processes."""
        return (self.logs / "output.txt").read_text()

    def wait_until(self, condition: Callable[[], Any]) -> None:
        """Poll until the condition holds or the process has ended."""
        while not condition() and not _ended(self.pid):
            time.sleep(0.0005)

    def steps(self) -> int:
        """Return the last step in the log of its run."""
        file = next(self.logs.glob("train/runs/*/metrics.csv"), None)
        rows = file.read_text().splitlines()[1:] if file is not None else []
        return int(rows[-1].split(",")[0]) if rows else 0

    def unfinished_files(self) -> list[Path]:
        """Return the temporary files of checkpoints that are not complete."""
        return list(self.logs.glob("train/runs/*/checkpoints/.*.tmp"))


def run_of(logs: Path) -> Path:
    """Return the only run that has a checkpoint."""
    (file,) = logs.glob("train/runs/*/checkpoints/last.ckpt")
    return file.parents[1]


def compare(ours: Path, theirs: Path) -> str:
    """Compare two runs: weights, optimizers, schedules, counters, validations and every logged number."""
    first, second = (_everything(run) for run in (ours, theirs))
    different = [name for name in first.keys() | second.keys() if not _same(first.get(name), second.get(name))]
    return "differs in " + ", ".join(sorted(different)) if different else "equal"


def _everything(run: Path) -> dict[str, Any]:
    state = read_checkpoint(run / "checkpoints" / "last.ckpt")
    state = {name: value for name, value in state.items() if name not in ("loops", "callbacks")}
    with (run / "metrics.csv").open(newline="") as file:
        state["metrics.csv"] = [tuple(row) for row in csv.reader(file)]
    best = read_checkpoint(run / "checkpoints" / "best.ckpt")
    return state | {"best": best["state_dict"]}


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, torch.Tensor):
        return torch.equal(ours, theirs)
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return ours == theirs


def _become(arguments: list[str], output: Path, before: Callable[[], None]) -> None:
    """Turn this forked process into a training run, and never return."""
    code = 1
    with output.open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["train.py", *arguments]
        before()
        train.prepare()
        train.main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
