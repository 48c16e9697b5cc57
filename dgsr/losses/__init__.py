"""What training minimises: pixel, perceptual and adversarial losses."""

from dgsr.losses.adversarial import AdversarialLoss
from dgsr.losses.perceptual import LpipsLoss
from dgsr.losses.pixel import charbonnier, l1, mse

__all__ = ["AdversarialLoss", "LpipsLoss", "charbonnier", "l1", "mse"]
