"""Several runs from one command: a process and a directory for each, and a record for reruns."""

from dgsr.apps.sweeps.folder import SweepFolder
from dgsr.apps.sweeps.job import run_job
from dgsr.apps.sweeps.session import sweep_of, sweeping

__all__ = ["SweepFolder", "run_job", "sweep_of", "sweeping"]
