"""Features of networks trained on ImageNet, and the perceptual distances built on them."""

from dgsr.features.dists import DistsDistance
from dgsr.features.lpips import LpipsDistance
from dgsr.features.networks import alexnet, levels, vgg16

__all__ = ["DistsDistance", "LpipsDistance", "alexnet", "levels", "vgg16"]
