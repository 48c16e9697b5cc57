"""Extract, restore and fingerprint trainable tensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Mapping
from typing import Any

from torch import Tensor, nn

from dgsr.tensors import copy_tensors

_SAMPLES = 1024


class TrainedNetwork(nn.Module):
    """A network that a run trains: all parameters, unless a subclass chooses some."""

    architecture: Mapping[str, Any]

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the trained parameters by name, whatever `requires_grad` currently says."""
        yield from self.named_parameters()

    def trainable_state(self) -> dict[str, Tensor]:
        """Return the tensors that training changes, by name."""
        return {name: parameter.detach() for name, parameter in self.trained_parameters()}

    def load_trainable_state(self, state: Mapping[str, Tensor]) -> None:
        """Copy what `trainable_state` returned, here or in another network of the same kind.

        Raises:
            UserError: Names or shapes differ.
        """
        copy_tensors(self.trainable_state(), state)

    def fingerprint(self) -> str:
        """Return a short fingerprint of the architecture and of a thousand numbers of each frozen weight."""
        return fingerprint_of(self, trained=dict(self.trained_parameters()))


def fingerprint_of(network: nn.Module, trained: Container[str] = ()) -> str:
    """Return a short fingerprint of a network: shapes, and a thousand numbers of each weight that is not trained."""
    architecture = network.architecture if isinstance(network, TrainedNetwork) else {}
    digest = hashlib.sha256(json.dumps(architecture, sort_keys=True, default=list).encode())
    for name, parameter in network.named_parameters():
        digest.update(f"{name} {tuple(parameter.shape)}".encode())
        if name not in trained:
            stride = max(1, parameter.numel() // _SAMPLES)
            digest.update(parameter.detach().flatten()[::stride].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
