"""Split an evaluation over the processes that torchrun starts."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist

from dgsr.checks import expect
from dgsr.inference.devices import device_of

T = TypeVar("T")

_logger = logging.getLogger(__name__)

#: How long a finished rank waits for the others; one rank may have all the large images.
_TIMEOUT = timedelta(days=7)


@dataclass(frozen=True)
class Ranks:
    """The rank of this process, and the number of processes."""

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this rank prints and writes the shared outputs."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Return the items that this rank handles: every `world_size`-th."""
        return items[self.rank :: self.world_size]

    def gather(self, items: list[T]) -> list[T]:
        """Wait for all ranks, and return their items on every rank."""
        shares: list[list[T]] = [items] * self.world_size
        if self.world_size > 1:
            dist.all_gather_object(shares, items)
        return [item for share in shares for item in share]


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the process group that torchrun's environment variables describe; without them, run as a single process.

    Raises:
        UserError: srun started several tasks without torchrun, so that each would evaluate everything.
    """
    unset = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")  # srun's; a batch script is one process, whatever the job has
    remedy = "Use srun --ntasks=1, and let torchrun start the processes."
    expect(tasks == "1" or (several and not unset), "one SLURM task for an evaluation", tasks, remedy)
    if several and unset:
        _logger.warning("WORLD_SIZE is set but %s not: this process evaluates alone.", ", ".join(unset))
    if not several or unset:
        yield Ranks()
        return
    dist.init_process_group("gloo", timeout=_TIMEOUT)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def device_of_rank(name: str, ranks: Ranks) -> torch.device:
    """Return the named device; for `cuda` with several ranks, the GPU of this rank.

    Raises:
        UserError: The device is not available.
    """
    device = device_of(name)
    if device.type == "cuda" and ranks.world_size > 1:
        return device_of(f"cuda:{os.environ.get('LOCAL_RANK', ranks.rank)}")
    return device
