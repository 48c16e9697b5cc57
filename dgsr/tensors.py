"""Read and write tensor files safely, and compare the shapes of tensors: the one place for all of it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from dgsr.checks import expect, refuse
from dgsr.files import atomic

_LONGEST_HEADER = 100_000_000  # bytes, of a safetensors file
_DAMAGED = (RuntimeError, EOFError, zipfile.BadZipFile, OSError, ValueError, KeyError, SafetensorError)


def read_plain(path: Path, expected: str, remedy: str) -> dict[str, Any]:
    """Read a torch file of plain tensors and values by name onto the CPU.

    Args:
        path: The file.
        expected: What the file should be, for errors.
        remedy: What the user can do if it is not.

    Raises:
        UserError: The file is missing, damaged, needs code to be read, or holds no dict.
    """
    content = _read(path, expected, remedy)
    expect(isinstance(content, dict), expected, f"{path}, which holds a {type(content).__name__}", remedy)
    return content


def read_tensors(path: Path, expected: str, remedy: str, nested_in: Sequence[str] = ()) -> dict[str, Tensor]:
    """Read a safetensors or torch file of named tensors onto the CPU.

    Args:
        path: The file.
        expected: What the file should be, for errors.
        remedy: What the user can do if it is not.
        nested_in: Keys under which the tensors may lie instead of at the top.

    Raises:
        UserError: The file is missing, damaged, a bare tensor, or holds anything beside named tensors.
    """
    content = _read(path, expected, remedy)
    for key in nested_in:
        content = content.get(key, content) if isinstance(content, Mapping) else content
    got = f"{path}, which holds a {type(content).__name__}"
    if isinstance(content, Mapping):
        others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
        got = f"{path}, which also holds {', '.join(others[:4])}"
        if not others:
            return dict(content)
    return refuse(f"{expected}, of named tensors alone", got, remedy)


def read_metadata(path: Path) -> dict[str, str]:
    """Return the texts in the header of a safetensors file; other files have none."""
    if not _is_safetensors(path):
        return {}
    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}


def write_tensors(tensors: Mapping[str, Tensor], path: str | Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file atomically, with the permissions of any new file.

    Args:
        tensors: Contiguous tensors by name, none of which shares memory with another.
        path: The file.
        metadata: Texts for the header.
    """
    path = Path(path)
    with atomic(path) as temporary:
        temporary.touch()
        permissions = (path if path.exists() else temporary).stat().st_mode
        save_file(dict(tensors), temporary, metadata=dict(metadata) if metadata else None)
        temporary.chmod(permissions)  # safetensors lets only the owner read


def expect_same_shapes(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], expected: str, remedy: str) -> None:
    """Refuse tensors whose names or shapes differ from ours.

    Raises:
        UserError: Some differ; four of them are listed.
    """
    our_shapes, their_shapes = ({name: tuple(tensor.shape) for name, tensor in each.items()} for each in (ours, theirs))
    names = our_shapes.keys() | their_shapes.keys()
    differing = sorted(name for name in names if our_shapes.get(name) != their_shapes.get(name))
    got = f"{len(theirs)} of which {len(differing)} names or shapes differ ({', '.join(differing[:4])})"
    expect(not differing, expected, got, remedy)


def copy_tensors(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    """Copy tensors into ours of the same names.

    Raises:
        UserError: Names or shapes differ.
    """
    remedy = "Use the settings, such as backbone and ranks, that the weights were trained with."
    expect_same_shapes(ours, theirs, f"weights for the {len(ours)} tensors of this network", remedy)
    with torch.no_grad():
        for name, tensor in ours.items():
            tensor.copy_(theirs[name])


def _read(path: Path, expected: str, remedy: str) -> Any:
    expect(path.is_file(), expected, path, remedy)
    try:
        if _is_safetensors(path):
            return load_file(path)
        _expect_checksums(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        refuse(f"{expected} that can be read", f"{path} ({_first_line(error)})", "It may be damaged; get it again.")
    except Exception as error:  # torch keeps the class private that it raises for a file with code in it
        remedy = "Such files can run code when read; only what loads with weights_only=True is accepted."
        refuse(f"{expected}, of plain tensors", f"{path} ({_first_line(error)})", remedy)


def _is_safetensors(path: Path) -> bool:
    """Recognise the format by its name, or by its first bytes: the length of a header, then the header in JSON."""
    with path.open("rb") as file:
        start = file.read(9)
    length = int.from_bytes(start[:8], "little")
    return path.suffix == ".safetensors" or (start[8:] == b"{" and length < _LONGEST_HEADER)


def _expect_checksums(path: Path) -> None:
    """Compare every part of a file with its checksum, which torch writes but does not verify."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        if damaged is not None:
            raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
