"""What torch wrote is read only if it is plain."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dgsr.checkpoints.plain import read_plain
from dgsr.checks import UserError


def read(path: Path) -> dict:
    return read_plain(path, "a list of weights", "Look elsewhere.")


def test_plain_tensors_and_values_come_back(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(3), "rank": 4}, tmp_path / "a.pt")
    content = read(tmp_path / "a.pt")
    assert content["weight"].tolist() == [0, 1, 2]
    assert content["rank"] == 4


def test_a_missing_file_brings_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a list of weights, but got .*a\.pt. Look elsewhere"):
        read(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 truncated"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.pt"):
        read(tmp_path / "a.pt")


def test_a_single_changed_bit_is_found(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(4000.0)}, tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    for place in range(2000, len(whole) - 2000, 1500):
        (tmp_path / "a.pt").write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(UserError, match="damaged"):
            read(tmp_path / "a.pt")


def test_code_is_refused(tmp_path: Path) -> None:
    torch.save({"path": Path("code")}, tmp_path / "a.pt")
    with pytest.raises(UserError, match="weights_only=True"):
        read(tmp_path / "a.pt")


def test_a_bare_tensor_is_refused(tmp_path: Path) -> None:
    torch.save(torch.zeros(1), tmp_path / "a.pt")
    with pytest.raises(UserError, match="holds a Tensor"):
        read(tmp_path / "a.pt")
