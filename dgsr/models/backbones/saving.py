"""Write networks of diffusers in half precision."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any


def save_half(network: Any, folder: Path) -> None:
    """Write a network in half precision, with the permissions of its config; the network in memory is unchanged."""
    copy.deepcopy(network).half().save_pretrained(folder)
    permissions = (folder / "config.json").stat().st_mode
    for weights in folder.glob("*.safetensors"):  # safetensors lets only the owner read
        weights.chmod(permissions)
