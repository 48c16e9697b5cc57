"""Features of networks trained on ImageNet, and the perceptual distance built on them."""

from dgsr.features.distance import LpipsDistance
from dgsr.features.networks import alexnet, levels, vgg16

__all__ = ["LpipsDistance", "alexnet", "levels", "vgg16"]
