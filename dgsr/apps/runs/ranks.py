"""Which process of a distributed run this is, told from its environment, before torch is imported."""

from __future__ import annotations

import os
import threading
import time

#: Set by torchrun, by Lightning, which starts the other processes of a machine itself, and by SLURM, also in an
#: interactive session, where all of Lightning's processes inherit it; so Lightning looks too.
_VARIABLES = ("RANK", "LOCAL_RANK", "SLURM_PROCID")


def rank() -> int:
    """Return the number of this process among those that run together."""
    return int(next((os.environ[name] for name in _VARIABLES if name in os.environ), 0))


def quiet_follower(arguments: list[str]) -> list[str]:
    """Let every process but the first write no run directory of its own; the first one's arguments stay as they are."""
    if rank() == 0:
        return arguments
    directory = [] if any(a.startswith("hydra.run.dir=") for a in arguments) else ["hydra.run.dir=."]
    return [*arguments, *directory, "hydra.output_subdir=null", "hydra/job_logging=stdout"]


def end_with_the_launcher(every_seconds: float = 1.0) -> None:
    """Let a process that another one has started end when that one is gone, and not wait for it in a collective."""
    if not os.environ.keys() & {"RANK", "LOCAL_RANK"}:
        return
    launcher = os.getppid()

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(every_seconds)
        os._exit(1)  # the main thread may be waiting in C++ for a process that will never answer

    threading.Thread(target=watch, daemon=True).start()
