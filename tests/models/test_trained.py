"""What is trained can be taken out and put back; what is frozen is told by its print."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from dgsr.checks import UserError
from dgsr.models.trained import TrainedNetwork, fingerprint_of


class Pair(TrainedNetwork):
    """Two layers, the second of which is frozen."""

    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.architecture = {"width": width}
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        yield from self.first.named_parameters(prefix="first")


def test_trained_tensors_are_copied_between_networks() -> None:
    ours, theirs = Pair(), Pair()
    theirs.load_trainable_state(ours.trainable_state())
    assert torch.equal(ours.first.weight, theirs.first.weight)
    assert not torch.equal(ours.second.weight, theirs.second.weight)
    with pytest.raises(UserError, match=r"2 tensors of this network, .* 2 names or shapes differ \(first\.bias"):
        theirs.load_trainable_state(Pair(4).trainable_state())


def test_the_fingerprint_depends_on_frozen_weights_and_architecture() -> None:
    network = Pair()
    before = network.fingerprint()
    network.first.weight.data += 1
    assert network.fingerprint() == before
    network.second.weight.data += 1
    assert network.fingerprint() != before
    assert Pair(4).fingerprint() != before


def test_the_fingerprint_of_frozen_networks_depends_on_all_weights() -> None:
    network = Pair()
    before = fingerprint_of(network)
    network.architecture = {"width": 3, "depth": 2}
    changed = fingerprint_of(network)
    network.first.weight.data += 1
    assert len({before, changed, fingerprint_of(network)}) == 3
    layer = nn.Linear(3, 3)
    assert fingerprint_of(layer) == fingerprint_of(layer.double()) != fingerprint_of(nn.Linear(3, 3))
