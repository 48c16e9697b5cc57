"""Read what torch wrote, but only plain tensors and values: files that need code to be read are refused."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

from dgsr.checks import expect, refuse


def read_plain(path: Path, what: str, remedy: str) -> dict[str, Any]:
    """Read a file of plain tensors and values by name onto the CPU.

    Args:
        path: The file.
        what: What the caller takes it for.
        remedy: What the user can do if there is no such file.

    Raises:
        UserError: The file is missing, damaged, or holds anything else.
    """
    expect(path.is_file(), what, path, remedy)
    try:
        _expect_sums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, zipfile.BadZipFile, OSError, ValueError, KeyError) as error:
        refuse(f"{what} that can be read", f"{path} ({_first_line(error)})", "It may be damaged; get it anew.")
    except Exception as error:  # what torch raises for a file with code in it is private to torch
        remedy = "Such files can run code when read; only what loads with weights_only=True is accepted."
        refuse(f"{what}, of plain tensors", f"{path} ({_first_line(error)})", remedy)
    expect(isinstance(content, dict), what, f"{path}, which holds a {type(content).__name__}", remedy)
    return content


def _expect_sums(path: Path) -> None:
    """Compare every part of a file with its checksum, which torch writes but does not look at when it reads."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
