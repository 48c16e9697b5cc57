"""From a degraded image to a sharp one, with a trained generator."""

from dgsr.inference.upscaler import Upscaler

__all__ = ["Upscaler"]
