"""The convolutional parts of VGG-16 and AlexNet, frozen."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

from dgsr.checks import expect
from dgsr.features.weights import Net, imagenet_weights

#: Of ImageNet's images in [0, 1], as these networks were trained.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

#: The last activation of each of VGG-16's five blocks, by its place.
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
    """Return what the network holds after each of the given layers; layers beyond the last are not run."""
    held = images
    found = []
    for index, layer in enumerate(network[: max(after) + 1]):
        held = layer(held)
        if index in after:
            found.append(held)
    return found


def _frozen(net: Net, weights: str) -> nn.Sequential:
    # On the meta device the classifier, nine tenths of these networks, is never allocated.
    with torch.device("meta"):
        network = cast(nn.Sequential, models.get_model(net, weights=None).features)
    state = imagenet_weights(net, weights)
    wanted, found = (
        {name: tuple(tensor.shape) for name, tensor in each.items()} for each in (network.state_dict(), state)
    )
    differing = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    expect(
        not differing, f"the {len(wanted)} tensors of {net}", f"others: {', '.join(differing[:3])}", "Mend features."
    )
    # Networks share the memory of the cached weights until one of them moves to a device.
    network.load_state_dict(state, assign=True)
    network.requires_grad_(False)
    return network.eval()
