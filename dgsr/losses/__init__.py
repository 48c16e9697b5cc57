"""Pixel, perceptual and adversarial losses."""

from dgsr.losses.adversarial import AdversarialLoss
from dgsr.losses.attempt import Attempt
from dgsr.losses.gradient_penalty import r1
from dgsr.losses.perceptual import Dists, DistsLoss, Lpips, LpipsLoss
from dgsr.losses.pixel import L1, Charbonnier, Mse, charbonnier, l1, mse

__all__ = [
    "L1",
    "AdversarialLoss",
    "Attempt",
    "Charbonnier",
    "Dists",
    "DistsLoss",
    "Lpips",
    "LpipsLoss",
    "Mse",
    "charbonnier",
    "l1",
    "mse",
    "r1",
]
