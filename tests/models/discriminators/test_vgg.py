"""The discriminator on a frozen VGG-16: what it sees, its maps, gradients and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision import models

from dgsr.checks import UserError
from dgsr.features import vgg16
from dgsr.models.discriminators import VggDiscriminator

IMAGES = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of random weights, so that the test needs no others."""
    torch.manual_seed(0)
    path: Path = tmp_path_factory.mktemp("vgg") / "vgg16.pth"
    torch.save(models.vgg16(weights=None).state_dict(), path)
    return str(path)


def test_features_are_those_of_the_network_in_imagenets_normalisation(weights: str) -> None:
    normalised = models.VGG16_Weights.IMAGENET1K_V1.transforms(crop_size=[48, 64], resize_size=[48])
    network = vgg16(weights)
    seen = (IMAGES + 1) / 2
    seen = (seen - torch.tensor(normalised.mean)[:, None, None]) / torch.tensor(normalised.std)[:, None, None]
    first, third = VggDiscriminator(weights, blocks=[1, 3]).describe(IMAGES)
    torch.testing.assert_close(first, network[:4](seen), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(third, network[:16](seen), rtol=1e-4, atol=1e-5)


def test_each_block_gives_a_map_of_half_the_previous_size(weights: str) -> None:
    maps = VggDiscriminator(weights, width=4)(IMAGES)
    assert [tuple(level.shape) for level in maps] == [(2, 1, 48 >> depth, 64 >> depth) for depth in range(4)]


def test_heads_depend_on_the_seed(weights: str) -> None:
    first, again, other = (VggDiscriminator(weights, width=4, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not all(torch.equal(tensor, other[name]) for name, tensor in first.items())


def test_gradients_reach_the_images_and_the_heads_alone(weights: str) -> None:
    discriminator, images = VggDiscriminator(weights, width=4), IMAGES.clone().requires_grad_()
    torch.stack([level.mean() for level in discriminator(images)]).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in discriminator.backbone.parameters())
    assert all(parameter.grad is not None for parameter in discriminator.heads.parameters())


@pytest.mark.parametrize("blocks", [[], [0], [1, 6]])
def test_missing_blocks_are_refused(weights: str, blocks: list[int]) -> None:
    with pytest.raises(UserError, match=r"discriminator\.blocks among 1 to 5"):
        VggDiscriminator(weights, blocks=blocks)
