"""A network of which a run trains some weights: take these out, put them back, and tell the others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterator, Mapping

from torch import Tensor, nn

from dgsr.checks import expect

_SAMPLES = 1024


class TrainedNetwork(nn.Module):
    """What a run trains: all parameters, unless a kind of network says otherwise."""

    architecture: Mapping[str, object]

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Walk over the parameters in training by name, for loops over two networks switch `requires_grad` at times."""
        yield from self.named_parameters()

    def trainable_state(self) -> dict[str, Tensor]:
        """Return what training changes, by name."""
        return {name: parameter.detach() for name, parameter in self.trained_parameters()}

    def load_trainable_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `trainable_state` returned, here or in another network of the same kind.

        Raises:
            UserError: Names or shapes differ.
        """
        take_over(self.trainable_state(), state)

    def fingerprint(self) -> str:
        """Return a short print of the architecture and of the frozen weights, a thousand numbers of each."""
        return print_of(self, trained=dict(self.trained_parameters()))


def print_of(network: nn.Module, trained: Container[str] = ()) -> str:
    """Return a short print of a network; of weights, unless they are in training, it takes a thousand numbers each."""
    architecture = network.architecture if isinstance(network, TrainedNetwork) else {}
    digest = hashlib.sha256(json.dumps(architecture, sort_keys=True, default=list).encode())
    for name, parameter in network.named_parameters():
        digest.update(f"{name} {tuple(parameter.shape)}".encode())
        if name not in trained:
            stride = max(1, parameter.numel() // _SAMPLES)
            digest.update(parameter.detach().flatten()[::stride].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def take_over(ours: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> None:
    """Copy tensors into those of the same names.

    Raises:
        UserError: Names or shapes differ.
    """
    shapes, found = ({name: tuple(tensor.shape) for name, tensor in each.items()} for each in (ours, state))
    differing = sorted(name for name in shapes.keys() | found.keys() if shapes.get(name) != found.get(name))
    expect(
        not differing,
        f"weights for the {len(ours)} tensors of this network",
        f"{len(state)} of which {len(differing)} names or shapes differ ({', '.join(differing[:4])})",
        "Use the settings, such as backbone and ranks, that the weights were trained with.",
    )
    for name, tensor in ours.items():
        tensor.copy_(state[name])
