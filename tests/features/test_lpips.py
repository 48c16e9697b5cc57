"""LPIPS against the authors' package, given the same features."""

from __future__ import annotations

import warnings
from typing import Literal

import lpips
import lpips.pretrained_networks
import pytest
import torch
from torch import nn

from dgsr.features import LpipsDistance

NETS: list[Literal["alex", "vgg"]] = ["alex", "vgg"]


def theirs(net: str, ours: LpipsDistance, monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    """Build the package's LPIPS around our network, in place of one that it would download."""

    class Stand(nn.Module):
        features = ours.network

    monkeypatch.setattr(lpips.pretrained_networks.tv, {"alex": "alexnet", "vgg": "vgg16"}[net], lambda **_: Stand())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lpips.LPIPS(net=net, verbose=False)


@pytest.mark.parametrize("net", NETS)
def test_distance_equals_the_authors(net: Literal["alex", "vgg"], monkeypatch: pytest.MonkeyPatch) -> None:
    ours = LpipsDistance(net)
    left, right = 2 * torch.rand(2, 2, 3, 64, 80) - 1
    expected = theirs(net, ours, monkeypatch)(left, right).flatten()
    assert torch.allclose(ours(left, right), expected, atol=1e-6)


@pytest.mark.parametrize("net", NETS)
def test_it_is_a_distance(net: Literal["alex", "vgg"]) -> None:
    distance = LpipsDistance(net)
    left, right = 2 * torch.rand(2, 2, 3, 64, 64) - 1
    assert torch.equal(distance(left, left), torch.zeros(2))
    assert (distance(left, right) > 0).all()
    assert torch.allclose(distance(left, right), distance(right, left))


def test_nothing_is_trained() -> None:
    assert not any(parameter.requires_grad for parameter in LpipsDistance("alex").parameters())
