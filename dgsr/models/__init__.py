"""The networks: estimator of degradation, one-step generator, discriminator."""

from dgsr.models.conditioning import Correction
from dgsr.models.discriminator import PatchDiscriminator
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

__all__ = ["Correction", "DegradationEstimator", "OneStepGenerator", "PatchDiscriminator"]
