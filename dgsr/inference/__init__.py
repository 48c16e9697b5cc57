"""Restore degraded images with a trained generator."""

from dgsr.inference.upscaler import Upscaler

__all__ = ["Upscaler"]
