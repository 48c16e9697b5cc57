"""The rank of this process in a distributed run, read from the environment before torch is imported."""

from __future__ import annotations

import os
import threading
import time

from dgsr.apps.config.command_line import CommandLine

#: Set by torchrun, by Lightning, which starts the other processes of a machine itself, and by SLURM, also in an
#: interactive session, where all of Lightning's processes inherit it; so Lightning looks too.
_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID")


def rank() -> int:
    """Return the rank of this process, 0 if it runs alone."""
    return int(next((os.environ[name] for name in _VARIABLES if name in os.environ), 0))


def silence_nonzero_ranks(command: CommandLine) -> CommandLine:
    """Let only rank 0 create a run directory and a log file; its own command line stays as it is."""
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
        os._exit(1)  # the main thread may be waiting in C++ for a process that will never answer

    threading.Thread(target=watch, daemon=True).start()
