"""Image quality metrics, comparable with published values."""

from dgsr.metrics.fid import Fid
from dgsr.metrics.fidelity import Psnr, Ssim
from dgsr.metrics.metric import ARROWS, Metric
from dgsr.metrics.niqe import Niqe
from dgsr.metrics.opinion import Opinion
from dgsr.metrics.perceptual import Dists, Lpips
from dgsr.metrics.suite import Suite, build, build_available

__all__ = [
    "ARROWS",
    "Dists",
    "Fid",
    "Lpips",
    "Metric",
    "Niqe",
    "Opinion",
    "Psnr",
    "Ssim",
    "Suite",
    "build",
    "build_available",
]
