"""Several processes that share the images of one evaluation, as torchrun starts them."""

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

#: That the first to be done waits for the last; large images may all have fallen to one.
_PATIENCE = timedelta(days=7)


@dataclass(frozen=True)
class Ranks:
    """Which of the processes this is."""

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Say whether this process prints and writes what is there once."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """Return every n-th item."""
        return items[self.rank :: self.world_size]

    def gather(self, items: list[T]) -> list[T]:
        """Return the items of all ranks, on all ranks; it also waits for all."""
        shares: list[list[T]] = [items] * self.world_size
        if self.world_size > 1:
            dist.all_gather_object(shares, items)
        return [item for share in shares for item in share]


@contextmanager
def joined() -> Iterator[Ranks]:
    """Join the processes that torchrun's variables speak of; without all of them this one is alone.

    Raises:
        UserError: It is one of several that srun has started, each of which would measure everything.
    """
    unset = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    tasks = os.environ.get("SLURM_STEP_NUM_TASKS", "1")  # srun's; a batch script is one process, whatever the job has
    remedy = "Say srun --ntasks=1, and let torchrun start the processes."
    expect(tasks == "1" or (several and not unset), "one SLURM task for an evaluation", tasks, remedy)
    if several and unset:
        _logger.warning("WORLD_SIZE is set but %s not: this process evaluates alone.", ", ".join(unset))
    if not several or unset:
        yield Ranks()
        return
    dist.init_process_group("gloo", timeout=_PATIENCE)
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def device_of_rank(name: str, ranks: Ranks) -> torch.device:
    """Return the device of a name, and of several processes on one machine each its own GPU.

    Raises:
        UserError: There is no such device here.
    """
    device = device_of(name)
    if device.type == "cuda" and ranks.world_size > 1:
        return device_of(f"cuda:{os.environ.get('LOCAL_RANK', ranks.rank)}")
    return device
