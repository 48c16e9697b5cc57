"""DISTS against torchmetrics, given the same features."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchmetrics.functional.image.dists import DISTSNetwork

from dgsr.features import DistsDistance, vgg16


class TorchvisionVgg(nn.Module):
    """What torchvision returns after a download."""

    def __init__(self, **_: object) -> None:
        super().__init__()
        self.features = vgg16()


def test_distance_equals_torchmetrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchmetrics.functional.image.dists.vgg16", TorchvisionVgg)
    sr, hq = torch.rand(2, 2, 3, 48, 64)
    assert torch.allclose(DistsDistance()(sr, hq), DISTSNetwork()(sr, hq), atol=1e-5)


def test_nothing_is_trained() -> None:
    assert not any(parameter.requires_grad for parameter in DistsDistance().parameters())
