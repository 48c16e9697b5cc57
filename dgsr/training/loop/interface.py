"""Define what a task may use of the loop that runs it.

A task's `optimize(batch, loop)` is the whole training step: it cuts its samples into micro batches, opens a phase for
each network that it steps, and hands losses to the phase's backward. The loop knows no loss, and a task knows no
optimizer. Training passes `Stepper`; `dgsr doctor --memory` passes a loop that only traces memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor

#: Back-propagate the sum of named losses of one micro batch, averaged over the phase's micro batches.
Backward = Callable[[dict[str, Tensor]], None]


@runtime_checkable
class Splittable(Protocol):
    """A batch, such as a `Sample` or a tensor."""

    def __len__(self) -> int: ...

    def split(self, size: int, /) -> Sequence[Any]:
        """Cut it into pieces of the given size."""
        ...


Batch = TypeVar("Batch", bound=Splittable)


@runtime_checkable
class Loop(Protocol):
    """Micro batches, phases and logs of one step."""

    step: int  # steps done before this one

    def micro_batches(self, batch: Batch) -> Sequence[Batch]:
        """Cut a rank's share of the global batch into micro batches of equal size."""
        ...

    def optimizing(self, network: str, num_backwards: int) -> AbstractContextManager[Backward]:
        """Accumulate gradients of one network over this many backwards, then clip them and step it."""
        ...

    def record(self, values: Mapping[str, Tensor]) -> None:
        """Log values that are not losses, as means over the micro batches."""
        ...
