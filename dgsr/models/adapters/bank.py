"""The correction matrices that the adapted layers of one network read during a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch.utils.checkpoint import checkpoint

from dgsr.types import BlockMatrices


class CorrectionBank:
    """Hold the matrices of every adapter of one network, by the adapter's name.

    Attributes:
        matrices: Those of the current forward pass; empty outside of one.
        baked: The adapters are folded into the weights, and the layers skip them.
    """

    def __init__(self) -> None:
        self.matrices: Mapping[str, BlockMatrices] = {}
        self.baked = False

    @contextmanager
    def using(self, matrices: Mapping[str, BlockMatrices]) -> Iterator[None]:
        """Let the layers read these matrices inside the block."""
        before, self.matrices = self.matrices, matrices
        try:
            yield
        finally:
            self.matrices = before

    def checkpoint(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run under gradient checkpointing, so that the recomputation reads the matrices of this forward pass.

        By the time of the backward pass the bank is empty or holds those of another forward pass.
        """
        matrices = self.matrices

        def replay(*args: Any) -> Any:
            with self.using(matrices):
                return function(*args)

        return checkpoint(replay, *args, use_reentrant=False)
