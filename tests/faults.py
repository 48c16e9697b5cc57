"""Faults of a run: each one interrupts a run, resumes it, and reports its moment and the outcome."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path

from dgsr.checkpoints.trainer import read_checkpoint
from tests.sessions import Session, run_of

Outcome = tuple[str, str]  # the moment and the outcome; a failed check is in capitals
Fault = Callable[[Session, float, random.Random], Outcome]


def kill(session: Session, length: float, moments: random.Random) -> Outcome:
    """Kill the process at a random moment."""
    session.start()
    delay = moments.uniform(0, length)
    session.wait_until(lambda: time.monotonic() - session.started > delay)
    return _killed(session, f"{delay:.1f} s")


def kill_while_saving(session: Session, length: float, moments: random.Random) -> Outcome:
    """Kill the process while it writes a checkpoint."""
    session.start()
    step = moments.randint(1, 6)
    session.wait_until(lambda: session.unfinished_files() and session.steps() >= step)
    return _killed(session, f"{time.monotonic() - session.started:.1f} s")


def _killed(session: Session, moment: str) -> Outcome:
    os.kill(session.pid, signal.SIGKILL)
    session.wait()
    incomplete = ", an incomplete file left" if session.unfinished_files() else ""
    moment = f"{moment}, step {session.steps()}{incomplete}"
    session.run_to_its_end()
    return moment, _continued(session)


def _continued(session: Session) -> str:
    starts = session.output().count("Running baseline validation")
    return "resumed" if starts == 1 else "started again"


def stop(number: int) -> Fault:
    """Send the signal with which a user or a cluster stops a run."""

    def fault(session: Session, length: float, moments: random.Random) -> Outcome:
        session.start()
        step = moments.randint(1, 6)
        session.wait_until(lambda: session.steps() >= step)
        ended = session.end_within(10, number)
        assert "Saved. Resume with: dgsr train resume=" in session.output()
        session.run_to_its_end()
        return f"step {step}", ended

    return fault


def damage(change: Callable[[Path], None]) -> Fault:
    """Kill the process, and damage the newest checkpoint."""

    def fault(session: Session, length: float, moments: random.Random) -> Outcome:
        session.start()
        step = moments.randint(3, 6)
        session.wait_until(lambda: session.steps() >= step)
        os.kill(session.pid, signal.SIGKILL)
        session.wait()
        change(run_of(session.logs) / "checkpoints" / "last.ckpt")
        session.run_to_its_end()
        warned = "Using the checkpoint before it" in session.output()
        return f"step {step}", "fell back with a warning" if warned else "USED THE DAMAGED FILE"

    return fault


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def no_room(session: Session, length: float, moments: random.Random) -> Outcome:
    """Limit the size of files, so that the next checkpoint cannot be written."""
    session.start()
    session.wait_until(lambda: session.steps() >= 3)
    os.kill(session.pid, signal.SIGTERM)
    session.wait()
    last = run_of(session.logs) / "checkpoints" / "last.ckpt"
    before = read_checkpoint(last)["dgsr"]["step"]
    room = last.stat().st_size // 2
    session.start(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
    code = session.wait()
    kept = read_checkpoint(last)["dgsr"]["step"] == before and not session.unfinished_files()
    explained = session.output().splitlines()[-1].startswith("Expected room to write")
    session.run_to_its_end()
    return (
        f"step {before + 1}",
        f"exit {code}, {'one sentence' if explained else 'NO SENTENCE'}, {'kept' if kept else 'LOST'}",
    )


def kill_worker(session: Session, length: float, moments: random.Random) -> Outcome:
    """Kill a process that loads data."""
    session.arguments.insert(0, "data.num_workers=1")
    session.start()
    session.wait_until(lambda: session.steps() >= 2)
    children = Path(f"/proc/{session.pid}/task/{session.pid}/children").read_text().split()
    killed = time.monotonic()
    os.kill(int(children[0]), signal.SIGKILL)
    code = session.wait()
    took = time.monotonic() - killed
    explained = "Expected the processes that load data to stay alive" in session.output()
    session.run_to_its_end()
    return "step 2", f"exit {code} after {took:.1f} s, {'one sentence' if explained else 'NO SENTENCE'}"


FAULTS: dict[str, Fault] = {
    "SIGTERM": stop(signal.SIGTERM),
    "SIGINT": stop(signal.SIGINT),
    "SIGUSR1": stop(signal.SIGUSR1),
    "truncated": damage(_truncate),
    "one bit flipped": damage(_flip),
    "no room": no_room,
    "worker killed": kill_worker,
}
