"""Degradation-guided one-step image super-resolution with diffusion priors."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dgsr.inference.upscaler import Upscaler
    from dgsr.models.estimator import DegradationEstimator
    from dgsr.models.generator import OneStepGenerator

__version__ = "0.1.0"
__all__ = ["DegradationEstimator", "OneStepGenerator", "Upscaler"]

_HOMES = {
    "DegradationEstimator": "dgsr.models.estimator",
    "OneStepGenerator": "dgsr.models.generator",
    "Upscaler": "dgsr.inference.upscaler",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: diffusers takes seconds, and not every program needs it."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
