"""Discriminators: images in [-1, 1] in, a list of logits out, one tensor per level; high means real."""

from dgsr.models.discriminator.dino import DinoDiscriminator
from dgsr.models.discriminator.patch import PatchDiscriminator
from dgsr.models.discriminator.unet import UNetDiscriminator
from dgsr.models.discriminator.vgg import VggDiscriminator

__all__ = ["DinoDiscriminator", "PatchDiscriminator", "UNetDiscriminator", "VggDiscriminator"]
