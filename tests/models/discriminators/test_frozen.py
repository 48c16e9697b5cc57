"""Discriminators over frozen networks: only their heads learn, and are stored."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dgsr.models.discriminators.frozen import FrozenFeatures

IMAGES = torch.rand(2, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1


class _Halves(FrozenFeatures):
    """Judges an image and its negative by one head each, after a frozen convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(3, 3, 1).requires_grad_(False)
        self.heads = nn.ModuleList(nn.Conv2d(3, 1, 1) for _ in range(2))

    def describe(self, images: Tensor) -> list[Tensor]:
        seen = self.backbone(images)
        return [seen, -seen]


def test_each_head_judges_what_is_described_for_it() -> None:
    network = _Halves()
    first, second = network(IMAGES)
    seen = network.backbone(IMAGES)
    assert torch.equal(first, network.heads[0](seen))
    assert torch.equal(second, network.heads[1](-seen))


def test_the_state_is_that_of_the_heads() -> None:
    network, other = _Halves(), _Halves()
    assert network.state_dict().keys() == {f"{head}.{kind}" for head in (0, 1) for kind in ("weight", "bias")}
    other.load_state_dict(network.state_dict())
    assert all(map(torch.equal, network.heads.parameters(), other.heads.parameters()))
    assert not torch.equal(network.backbone.weight, other.backbone.weight)
