"""The rank of this process in a distributed run, read from the environment before torch is imported."""

from __future__ import annotations

import os
import threading
import time

from dgsr.apps.config.command_line import CommandLine

#: Set by torchrun, Lightning and SLURM; in this order, as in Lightning: in an interactive SLURM session all processes
#: inherit SLURM_PROCID.
_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID")


def rank() -> int:
    """Return the rank of this process, 0 if it runs alone."""
    return int(next((os.environ[name] for name in _VARIABLES if name in os.environ), 0))


def silence_nonzero_ranks(command: CommandLine) -> CommandLine:
    """Stop ranks other than 0 from creating a run directory and a log file."""
    if rank() == 0:
        return command
    directory = [] if command.value("hydra.run.dir") else ["hydra.run.dir=."]
    return command.plus(*directory, "hydra/job_logging=stdout")


def end_with_the_launcher(every_seconds: float = 1.0) -> None:
    """End this process when its launcher ends, instead of waiting in a collective."""
    if not os.environ.keys() & {"RANK", "LOCAL_RANK"}:
        return
    launcher = os.getppid()

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(every_seconds)
        os._exit(1)  # the main thread may be blocked in a collective

    threading.Thread(target=watch, daemon=True).start()
