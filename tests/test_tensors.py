"""Tensor files are read only if they are plain, and written with normal permissions; shapes are compared in one way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dgsr.checks import UserError
from dgsr.tensors import copy_tensors, expect_same_shapes, read_metadata, read_plain, read_tensors, write_tensors

READERS = [read_plain, read_tensors]


def read(path: Path, reader: Callable[..., dict[str, Any]] = read_plain, **options: Any) -> dict[str, Any]:
    return reader(path, "a list of weights", "Look elsewhere.", **options)


def test_plain_tensors_and_values_are_read(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(3), "rank": 4}, tmp_path / "a.pt")
    content = read(tmp_path / "a.pt")
    assert content["weight"].tolist() == [0, 1, 2]
    assert content["rank"] == 4


@pytest.mark.parametrize("save", [torch.save, save_file])
def test_the_content_tells_the_format(tmp_path: Path, save: Callable[..., None]) -> None:
    save({"weight": torch.arange(3)}, tmp_path / "weights")
    assert read(tmp_path / "weights", read_tensors)["weight"].tolist() == [0, 1, 2]


def test_tensors_may_be_nested(tmp_path: Path) -> None:
    torch.save({"params": {"weight": torch.arange(3)}, "epoch": 3}, tmp_path / "a.pt")
    assert read(tmp_path / "a.pt", read_tensors, nested_in=("params_ema", "params"))["weight"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_file_is_refused_with_the_remedy(tmp_path: Path, reader: Callable[..., Any]) -> None:
    with pytest.raises(UserError, match=r"a list of weights, but got .*a\.pt. Look elsewhere"):
        read(tmp_path / "a.pt", reader)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 truncated", b"\x40\0\0\0\0\0\0\0{truncated"])
@pytest.mark.parametrize("reader", READERS)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, reader: Callable[..., Any]) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.pt"):
        read(tmp_path / "a.pt", reader)


def test_a_single_changed_bit_is_detected(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(4000.0)}, tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    for place in range(2000, len(whole) - 2000, 1500):
        (tmp_path / "a.pt").write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(UserError, match="damaged"):
            read(tmp_path / "a.pt")


@pytest.mark.parametrize("reader", READERS)
def test_code_is_refused(tmp_path: Path, reader: Callable[..., Any]) -> None:
    torch.save({"path": Path("code")}, tmp_path / "a.pt")
    with pytest.raises(UserError, match="weights_only=True"):
        read(tmp_path / "a.pt", reader)


def test_a_bare_tensor_is_refused(tmp_path: Path) -> None:
    torch.save(torch.zeros(1), tmp_path / "a.pt")
    for reader in READERS:
        with pytest.raises(UserError, match=r"a list of weights.*, which holds a Tensor\. Look elsewhere"):
            read(tmp_path / "a.pt", reader)


def test_anything_beside_tensors_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1), "epoch": 3}, tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"of named tensors alone, but got .*a\.pt, which also holds epoch\. Look"):
        read(tmp_path / "a.pt", read_tensors)


@pytest.mark.parametrize("umask", [0o022, 0o007])
def test_a_written_file_has_normal_permissions(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_tensors({"a": torch.arange(3)}, tmp_path / "new" / "a.safetensors", {"text": "b"})
        (tmp_path / "any").touch()
    finally:
        os.umask(before)
    assert (tmp_path / "new" / "a.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode
    assert read(tmp_path / "new" / "a.safetensors", read_tensors)["a"].tolist() == [0, 1, 2]
    assert read_metadata(tmp_path / "new" / "a.safetensors") == {"text": "b"}
    assert read_metadata(tmp_path / "any") == {}


def test_a_failed_write_leaves_the_old_file_or_none(tmp_path: Path) -> None:
    shared = torch.arange(3)
    with pytest.raises(RuntimeError, match="share memory"):
        write_tensors({"a": shared, "b": shared}, tmp_path / "a.safetensors")
    assert not list(tmp_path.iterdir())
    write_tensors({"a": shared}, tmp_path / "a.safetensors")
    with pytest.raises(RuntimeError, match="share memory"):
        write_tensors({"a": shared, "b": shared}, tmp_path / "a.safetensors")
    assert load_file(tmp_path / "a.safetensors").keys() == {"a"}


def test_differing_names_and_shapes_are_listed_up_to_four() -> None:
    ours = {name: torch.zeros(1) for name in "abcdef"}
    with pytest.raises(UserError, match=r"Expected weights, but got 1 of which 6 names .* differ \(a, b, c, d\)\. Go"):
        expect_same_shapes(ours, {"a": torch.zeros(2)}, "weights", "Go.")
    expect_same_shapes(ours, {name: torch.ones(1) for name in "fedcba"}, "weights", "Go.")


def test_tensors_are_copied_in_place_if_all_fit() -> None:
    ours = {"a": torch.zeros(2, requires_grad=True)}
    copy_tensors(ours, {"a": torch.ones(2)})
    assert ours["a"].tolist() == [1, 1]
    with pytest.raises(UserError, match=r"the 1 tensors of this network.*ranks"):
        copy_tensors(ours, {"a": torch.ones(3)})
