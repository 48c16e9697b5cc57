"""Discriminators over frozen features, or trained from scratch; each is imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dgsr.models.discriminators.dino import DinoDiscriminator
    from dgsr.models.discriminators.patch import PatchDiscriminator
    from dgsr.models.discriminators.unet import UNetDiscriminator
    from dgsr.models.discriminators.vgg import VggDiscriminator

__all__ = ["DinoDiscriminator", "PatchDiscriminator", "UNetDiscriminator", "VggDiscriminator"]

_MODULES = dict(zip(__all__, ("dino", "patch", "unet", "vgg"), strict=True))


def __getattr__(name: str) -> Any:
    """Import a discriminator: timm and torchvision are slow to import, and most programs need neither."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
