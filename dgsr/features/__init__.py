"""Features of networks trained on ImageNet, and the perceptual distances built on them."""

from dgsr.features.dists import DistsDistance
from dgsr.features.lpips import LpipsDistance
from dgsr.features.networks import IMAGENET_MEAN, IMAGENET_STD, VGG16_RELUS, alexnet, levels, vgg16

__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "VGG16_RELUS",
    "DistsDistance",
    "LpipsDistance",
    "alexnet",
    "levels",
    "vgg16",
]
