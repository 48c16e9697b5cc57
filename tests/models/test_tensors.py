"""Files of tensors are as readable as any other file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dgsr.models import OneStepGenerator
from dgsr.models.tensors import save_half, write_tensors


@pytest.mark.parametrize("umask", [0o022, 0o007])
def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_tensors({"a": torch.arange(3)}, tmp_path / "a.safetensors", {"text": "b"})
        (tmp_path / "any").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "a.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode
    assert load_file(tmp_path / "a.safetensors")["a"].tolist() == [0, 1, 2]


def test_what_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    shared = torch.arange(3)
    with pytest.raises(RuntimeError, match="share memory"):
        write_tensors({"a": shared, "b": shared}, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())
    write_tensors({"a": shared}, tmp_path / "a.safetensors")
    with pytest.raises(RuntimeError, match="share memory"):
        write_tensors({"a": shared, "b": shared}, tmp_path / "a.safetensors")
    assert load_file(tmp_path / "a.safetensors").keys() == {"a"}


def test_networks_of_diffusers_are_written_in_half_and_readable(tmp_path: Path) -> None:
    vae = OneStepGenerator.tiny().vae
    before = next(vae.parameters()).dtype
    save_half(vae, tmp_path / "vae")
    (weights,) = tmp_path.glob("vae/*.safetensors")
    assert {tensor.dtype for tensor in load_file(weights).values()} == {torch.float16}
    assert weights.stat().st_mode == (tmp_path / "vae" / "config.json").stat().st_mode
    assert next(vae.parameters()).dtype == before
