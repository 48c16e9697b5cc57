"""The convolutional parts of VGG-16 and AlexNet, frozen."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

from dgsr.features.weights import Net, imagenet_weights
from dgsr.tensors import expect_same_shapes

#: Mean and deviation of ImageNet's images in [0, 1], with which these networks were trained.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

#: Indices of the last activation of each of VGG-16's five blocks.
VGG16_RELUS = (3, 8, 15, 22, 29)


def vgg16(weights: str = "auto") -> nn.Sequential:
    """Return the convolutional layers of VGG-16, numbered as in torchvision.

    Args:
        weights: auto (offline if installed, else torchvision), offline, torchvision, or the path of a file or folder.
    """
    return _frozen("vgg16", weights)


def alexnet(weights: str = "auto") -> nn.Sequential:
    """Return the convolutional layers of AlexNet, numbered as in torchvision; weights as for `vgg16`."""
    return _frozen("alexnet", weights)


def levels(
    network: nn.Sequential, images: Float[Tensor, "b 3 h w"], after: Collection[int]
) -> list[Float[Tensor, "b _ _ _"]]:
    """Return the activations after each of the given layers; layers beyond the last are not run."""
    activation, activations = images, []
    for index, layer in enumerate(network[: max(after) + 1]):
        activation = layer(activation)
        if index in after:
            activations.append(activation)
    return activations


def _frozen(net: Net, weights: str) -> nn.Sequential:
    # On the meta device the classifier, nine tenths of these networks, is never allocated.
    with torch.device("meta"):
        network = cast(nn.Sequential, models.get_model(net, weights=None).features)
    state = imagenet_weights(net, weights)
    expect_same_shapes(network.state_dict(), state, f"weights of {net}", "Set features to the right file or folder.")
    # Networks share the memory of the cached weights until one of them moves to a device.
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False)
    return network.eval()
