"""Locate the parts of a model: in a local folder, inside the package, or on the model hub."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError

_ASSETS = Path(__file__).parents[1] / "assets"
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")

#: Duplicates of the weights in other formats and precisions, which are not downloaded.
_DUPLICATES = ["*.bin", "*.ckpt", "*.msgpack", "*.onnx*", "*.fp16.*", "*non_ema*", "*openvino*"]


def looks_like_hub_id(source: str) -> bool:
    """Return whether a name has the form of a repository on the hub.

    >>> looks_like_hub_id("stabilityai/sd-turbo"), looks_like_hub_id("./sd"), looks_like_hub_id("a/b/c")
    (True, False, False)
    """
    return _HUB_ID.fullmatch(source) is not None and not source.startswith(".")


def located(source: str) -> Path:
    """Return the local path of a source; `bundled:<path>` is inside the package."""
    return _ASSETS / source.removeprefix("bundled:") if source.startswith("bundled:") else Path(source)


def is_stored(source: str) -> bool:
    """Return whether a source is a folder or may be a hub repository, so that it can be read again."""
    return located(source).is_dir() or looks_like_hub_id(source)


def fetch(source: str, name: str) -> Path | None:
    """Return the path of one file of a folder or hub repository, or None if it does not exist or cannot be reached."""
    if located(source).is_dir():
        path = located(source) / name
        return path if path.is_file() else None
    if not looks_like_hub_id(source):
        return None
    try:
        return Path(hf_hub_download(source, name))
    except (EntryNotFoundError, OSError):
        return None


def fetch_folder(source: str, *subfolders: str, files: str = "*") -> Path | None:
    """Return a folder that holds these subfolders of a folder or hub repository, or None if one cannot be reached.

    Only files of this pattern are fetched from the hub.
    """
    folder = located(source)
    if not folder.is_dir():
        if not looks_like_hub_id(source):
            return None
        try:
            patterns = [f"{name}/{files}" for name in subfolders]
            folder = Path(snapshot_download(source, allow_patterns=patterns, ignore_patterns=_DUPLICATES))
        except (EntryNotFoundError, OSError):
            return None
    return folder if all((folder / name).is_dir() for name in subfolders) else None
