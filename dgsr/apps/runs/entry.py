"""End a program with a sentence instead of a traceback if the user can fix the problem."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from hydra.types import RunMode
from safetensors import SafetensorError

from dgsr.checks import FORBIDDEN, NO_ROOM, UNFIT, UserError

R = TypeVar("R")

#: The exit code of a program that Ctrl-C has ended.
INTERRUPTED = 130

_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # in the errors of safetensors
_WORKER_KILLED = re.compile(r"DataLoader worker \(pid.*\) (is killed by signal: \w+|exited unexpectedly)")
# The error of a data loader's worker has the traceback as its message.
_NAME_IN_TRACEBACK = f"{UserError.__module__}.{UserError.__qualname__}: "


@dataclass(frozen=True)
class Advice:
    """What the user should do next, a sentence or two each.

    Attributes:
        full: After a full disk.
        stopped: After Ctrl-C.
    """

    full: str = "Free some space, then run the same command again."
    stopped: str = ""


TRAINING = Advice(
    "Everything written before is kept, including the last checkpoint. Free some space, then resume with resume=last."
)

_RESUME = "Run the same command again to resume."
RESUMABLE = Advice(full=f"Free some space. {_RESUME}", stopped=_RESUME)


def run_cleanly(program: Callable[[], R], advice: Advice = TRAINING) -> R:
    """Run a program's body; a `UserError` or a full disk becomes one line on standard error and exit code 1.

    Ctrl-C becomes one line and exit code 130. Any other error keeps its traceback. In a sweep only the job fails, the
    others continue.

    Args:
        program: The body.
        advice: What a user of this program should do next.
    """
    try:
        return program()
    except KeyboardInterrupt:
        sys.stderr.write(f"Stopped. {advice.stopped}".strip() + "\n")
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:  # libraries wrap errors that the user can fix in their own
        sentence = _sentence(error, advice)
        if sentence is None:
            raise
    if in_sweep():
        raise CompactHydraException(sentence)  # Hydra writes it out at the end, without a traceback
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(1)


def _sentence(error: Exception, advice: Advice) -> str | None:
    """Return the sentence for the user about an error or its causes, if there is one."""
    for cause in _chain(error):
        if isinstance(cause, UserError):
            return str(cause).rpartition(_NAME_IN_TRACEBACK)[2].strip()
        about_place = _about_place(cause, advice)
        if about_place:
            return about_place
        end = _end_of_worker(cause)
        if end:
            return (
                f"Expected the processes that load data to stay alive, but got one that {end}. "
                "If memory ran out, lower data.num_workers, then resume with resume=last."
            )
    return None


def _about_place(error: BaseException, advice: Advice) -> str | None:
    """Return the sentence about a path on a disk, if the error is about one."""
    in_rust = _OS_ERROR.search(str(error)) if isinstance(error, SafetensorError) else None
    if in_rust:
        error = OSError(int(in_rust[1]), os.strerror(int(in_rust[1])))
    if not isinstance(error, OSError):
        return None
    if error.errno in NO_ROOM:
        return f"Expected room to write {error.filename or 'a file'}, but got: {error.strerror}. {advice.full}"
    if error.errno in FORBIDDEN and error.filename:
        return f"Expected a place with write permission, but got {error.filename}: {error.strerror}. Name another one."
    if error.errno in UNFIT and error.filename:
        return f"Expected a name that can be used, but got {error.filename}: {error.strerror}. Name another one."
    return None


def _end_of_worker(error: BaseException) -> str | None:
    """Return how a data worker ended, if the error comes from one."""
    match = _WORKER_KILLED.search(str(error))
    if match:
        return match[1]
    lost = isinstance(error, ConnectionError | EOFError | FileNotFoundError)
    places = {Path(frame.filename).stem for frame in extract_tb(error.__traceback__)}
    return "was lost while it handed over a batch" if lost and "resource_sharer" in places else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def in_sweep() -> bool:
    """Return whether Hydra runs one of several jobs."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
