"""The networks: degradation estimator, one-step generator and discriminators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dgsr.models import discriminators
from dgsr.models.adapters.conditioning import Correction, Corrections
from dgsr.models.estimator import DegradationEstimator
from dgsr.models.generator import OneStepGenerator

if TYPE_CHECKING:
    from dgsr.models.discriminators import DinoDiscriminator, PatchDiscriminator, UNetDiscriminator, VggDiscriminator

__all__ = [
    "Correction",
    "Corrections",
    "DegradationEstimator",
    "DinoDiscriminator",
    "OneStepGenerator",
    "PatchDiscriminator",
    "UNetDiscriminator",
    "VggDiscriminator",
]


def __getattr__(name: str) -> Any:
    """Import a discriminator when it is first used."""
    return getattr(discriminators, name)
