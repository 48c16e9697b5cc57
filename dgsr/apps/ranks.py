"""Which process of a distributed run this is, told from its environment, before torch is imported."""

from __future__ import annotations

import os

#: Set by torchrun, by SLURM and by Lightning, which starts the other processes of a machine itself.
_VARIABLES = ("RANK", "SLURM_PROCID", "LOCAL_RANK")


def rank() -> int:
    """Return the number of this process among those that run together."""
    return int(next((os.environ[name] for name in _VARIABLES if name in os.environ), 0))


def quiet_follower(arguments: list[str]) -> list[str]:
    """Let every process but the first write no run directory of its own; the first one's arguments stay as they are."""
    if rank() == 0:
        return arguments
    directory = [] if any(a.startswith("hydra.run.dir=") for a in arguments) else ["hydra.run.dir=."]
    return [*arguments, *directory, "hydra.output_subdir=null", "hydra/job_logging=stdout"]
