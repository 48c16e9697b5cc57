"""Count the memory that code would allocate, while it runs without computing anything."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_aten = torch.ops.aten


class LiveMemory(TorchDispatchMode):
    """Count the bytes of tensors created inside the block, and their peak.

    Enter it inside a `FakeTensorMode`, whose tensors have shapes but no values. Code that reads a value gets a
    constant: masks are all false and numbers 0, or masks are all true and numbers 1.

    Args:
        known: Earlier tensors, which are not counted.
        everything: Whether masks are all true and numbers 1.
    """

    def __init__(self, known: Iterable[Tensor] = (), everything: bool = False) -> None:
        super().__init__()
        self.live, self.peak, self.everything = 0, 0, everything
        self._sizes = {tensor.untyped_storage()._cdata: 0 for tensor in known}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Return constants for values, run everything else, and count the tensors it returns."""
        if function is _aten._local_scalar_dense.default:
            return torch.tensor(self.everything, dtype=args[0].dtype).item()
        if function is _aten.nonzero.default:
            return torch.zeros(args[0].numel() if self.everything else 0, args[0].dim(), dtype=torch.long)
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage._cdata in self._sizes:
            return
        self._sizes[storage._cdata] = size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, storage._cdata)

    def _forget(self, key: int) -> None:
        self.live -= self._sizes.pop(key)
