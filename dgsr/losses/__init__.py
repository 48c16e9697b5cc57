"""What training minimises: pixel, perceptual and adversarial losses."""

from dgsr.losses.adversarial import AdversarialLoss
from dgsr.losses.gradient_penalty import r1
from dgsr.losses.perceptual import DistsLoss, LpipsLoss
from dgsr.losses.pixel import charbonnier, l1, mse

__all__ = ["AdversarialLoss", "DistsLoss", "LpipsLoss", "charbonnier", "l1", "mse", "r1"]
