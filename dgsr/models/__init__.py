"""The networks: estimator of degradation, one-step generator, discriminators."""

from dgsr.models.conditioning import Correction
from dgsr.models.discriminator import DinoDiscriminator, PatchDiscriminator, UNetDiscriminator, VggDiscriminator
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

__all__ = [
    "Correction",
    "DegradationEstimator",
    "DinoDiscriminator",
    "OneStepGenerator",
    "PatchDiscriminator",
    "UNetDiscriminator",
    "VggDiscriminator",
]
