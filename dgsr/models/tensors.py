"""Write tensors to files that whoever may read the folder may read too."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor


def write_tensors(tensors: Mapping[str, Tensor], path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file, with the permissions of any new file: safetensors alone lets only its owner read it.

    Args:
        tensors: By name; contiguous, and none in the memory of another.
        path: The file; its folder exists.
        metadata: Texts by name.
    """
    path = Path(path)
    is_new = not path.exists()
    path.touch()
    permissions = path.stat().st_mode
    try:
        save_file(dict(tensors), path, metadata=dict(metadata) if metadata else None)
    except BaseException:
        if is_new:  # an empty file helps nobody
            path.unlink(missing_ok=True)
        raise
    path.chmod(permissions)


def save_half(network: Any, folder: Path) -> None:
    """Write a network of diffusers in half precision, as readable as its config; in memory it stays what it is."""
    copy.deepcopy(network).half().save_pretrained(folder)
    permissions = (folder / "config.json").stat().st_mode
    for weights in folder.glob("*.safetensors"):
        weights.chmod(permissions)
