"""How good an image is, by measures that others publish too."""

from dgsr.metrics.metric import Metric
from dgsr.metrics.suite import build

__all__ = ["Metric", "build"]
