"""How a program ends when its user has to act: with a sentence, not a traceback."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import extract_tb
from typing import TypeVar

from hydra.core.hydra_config import HydraConfig
from hydra.errors import CompactHydraException
from hydra.types import RunMode

from dgsr.checks import FORBIDDEN, NO_ROOM, UserError

R = TypeVar("R")

_WORKER_KILLED = re.compile(r"DataLoader worker \(pid.*\) (is killed by signal: \w+|exited unexpectedly)")
# A worker of a data loader hands its error on with the text of its traceback as the message.
_NAME_IN_TRACEBACK = f"{UserError.__module__}.{UserError.__qualname__}: "


def run_cleanly(program: Callable[[], R]) -> R:
    """Run a program's body; a `UserError` or a full disk becomes one line on standard error and exit code 1.

    Any other error keeps its traceback. In a sweep only the job fails, the others go on.
    """
    try:
        return program()
    except Exception as error:  # of any kind: libraries wrap what the user can mend in their own
        sentence = _sentence(error)
        if sentence is None:
            raise
    if in_sweep():
        raise CompactHydraException(sentence)  # Hydra writes it out at the end, without a traceback
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(1)


def _sentence(error: Exception) -> str | None:
    """Say what the user can do about an error, if anything; what builds objects or writes files may have wrapped it."""
    for cause in _chain(error):
        if isinstance(cause, UserError):
            return str(cause).rpartition(_NAME_IN_TRACEBACK)[2].strip()
        if isinstance(cause, OSError) and cause.errno in NO_ROOM:
            return (
                f"Expected room to write {cause.filename or 'a file'}, but got: {cause.strerror}. Whatever was "
                "complete before, the last checkpoint too, is kept. Make room; training then goes on with resume=last."
            )
        if isinstance(cause, OSError) and cause.errno in FORBIDDEN and cause.filename:
            return f"Expected a place that one may use, but got {cause.filename}: {cause.strerror}. Name another one."
        end = _end_of_worker(cause)
        if end:
            return (
                f"Expected the processes that load data to stay alive, but got one that {end}. "
                "If memory ran out, lower data.num_workers; then go on with resume=last."
            )
    return None


def _end_of_worker(error: BaseException) -> str | None:
    """Say how a process that loads data ended, if that is what the error comes from."""
    found = _WORKER_KILLED.search(str(error))
    if found:
        return found[1]
    lost = isinstance(error, ConnectionError | EOFError | FileNotFoundError)
    places = {Path(frame.filename).stem for frame in extract_tb(error.__traceback__)}
    return "was lost while it handed over a batch" if lost and "resource_sharer" in places else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error back to what it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def in_sweep() -> bool:
    """Tell whether Hydra is at one of several jobs."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN
