"""How good an image is, by measures that others publish too."""

from dgsr.metrics.fid import Fid
from dgsr.metrics.metric import Metric
from dgsr.metrics.suite import NAMES, Suite, build, build_available

__all__ = ["NAMES", "Fid", "Metric", "Suite", "build", "build_available"]
