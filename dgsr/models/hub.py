"""Where the parts of a backbone lie: in a folder on this machine, or on the model hub."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


def looks_like_hub_id(source: str) -> bool:
    """Tell whether a name that is no folder here may be one on the hub.

    >>> looks_like_hub_id("stabilityai/sd-turbo"), looks_like_hub_id("./sd"), looks_like_hub_id("a/b/c")
    (True, False, False)
    """
    return _HUB_ID.fullmatch(source) is not None


def fetch(source: str, name: str) -> Path | None:
    """Return the path of one file of a folder or hub repository, or None if it has none of that name."""
    if Path(source).is_dir():
        path = Path(source) / name
        return path if path.is_file() else None
    try:
        return Path(hf_hub_download(source, name))
    except (EntryNotFoundError, OSError):
        return None


def fetch_folder(source: str, *subfolders: str) -> Path | None:
    """Return a folder that holds these subfolders of a folder or hub repository, or None if one is lacking."""
    if Path(source).is_dir():
        folder = Path(source)
    else:
        folder = Path(snapshot_download(source, allow_patterns=[f"{name}/*" for name in subfolders]))
    return folder if all((folder / name).is_dir() for name in subfolders) else None
