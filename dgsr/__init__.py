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

_MODULES = {
    "DegradationEstimator": "dgsr.models.estimator",
    "OneStepGenerator": "dgsr.models.generator",
    "Upscaler": "dgsr.inference.upscaler",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first access, because importing diffusers takes seconds."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
