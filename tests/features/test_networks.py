"""The feature networks: torchvision's layers, our weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from dgsr.checks import UserError
from dgsr.features import alexnet, levels, vgg16


def test_layers_are_numbered_as_in_torchvision() -> None:
    assert vgg16().state_dict()["28.weight"].shape == (512, 512, 3, 3)
    assert alexnet().state_dict()["0.weight"].shape == (64, 3, 11, 11)


@pytest.mark.parametrize("network", [vgg16, alexnet])
def test_networks_are_frozen(network: Callable[[], nn.Sequential]) -> None:
    built = network()
    assert not built.training
    assert not any(parameter.requires_grad for parameter in built.parameters())


def test_networks_share_memory_until_moved() -> None:
    left, right = alexnet(), alexnet()
    assert left.get_parameter("0.weight").data_ptr() == right.get_parameter("0.weight").data_ptr()
    left.double()
    assert alexnet().get_parameter("0.weight").dtype == right.get_parameter("0.weight").dtype == torch.float32


def test_levels_are_what_the_truncated_network_returns() -> None:
    network = alexnet()
    images = torch.randn(2, 3, 64, 64)
    for index, found in zip((1, 4, 11), levels(network, images, (1, 4, 11)), strict=True):
        assert torch.equal(found, network[: index + 1](images))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(vgg16().state_dict(), tmp_path / "vgg.pth")
    with pytest.raises(UserError, match=r"Expected weights of alexnet, but got 26 of which 30 .* differ \(0\.weight"):
        alexnet(str(tmp_path / "vgg.pth"))


def test_a_training_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": alexnet().state_dict(), "step": 3}, tmp_path / "alexnet.pth")
    with pytest.raises(UserError, match=r"of named tensors alone, but got .* also holds state_dict, step"):
        alexnet(str(tmp_path))


def test_vgg_was_trained_on_photographs() -> None:
    # Its first layer detects edges and colours, far from the noise it started as: a few directions hold most.
    kernels = vgg16().get_parameter("0.weight").flatten(1)
    spectrum = torch.linalg.svdvals(kernels).square()
    assert spectrum[:9].sum() / spectrum.sum() > 0.85
