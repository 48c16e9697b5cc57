"""Names are stored without loss, and the index of a long list is cached."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from dgsr.checks import UserError
from dgsr.data import names as module
from dgsr.data.names import ListedNames, Names

MANY = ["a.png", "sub/b c.png", "ü.jpg", "d"]


def test_names_in_memory() -> None:
    names = Names.join(MANY)
    assert list(names) == MANY
    assert (len(names), names[2]) == (4, "ü.jpg")
    assert list(Names.join([])) == []
    assert names.digest() == Names.join(iter(MANY)).digest() != Names.join(MANY[:3]).digest()


def test_a_name_that_is_not_utf_8_is_kept() -> None:
    odd = os.fsdecode(b"a\xff.png")
    assert list(Names.join([odd])) == [odd]


def test_a_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(UserError, match=r"without line breaks, but got 'a\\nb\.png'"):
        Names.join(["a\nb.png", "b.png"])


@pytest.mark.parametrize("chunk_bytes", [1, 3, 1000])
@pytest.mark.parametrize("text", ["a\nbc\n\ndef", "a\r\nbc\r\ndef\r\n", "\n\na\nbc (5,6,3)\ndef (10, 20, 3)\n"])
def test_lines_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int, text: str) -> None:
    monkeypatch.setattr(module, "_CHUNK_BYTES", chunk_bytes)
    (tmp_path / "list.txt").write_bytes(text.encode())
    names = ListedNames(tmp_path / "list.txt")
    assert list(names) == ["a", "bc", "def"]
    assert list(pickle.loads(pickle.dumps(names))) == list(names)
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]


def test_a_long_list_is_indexed_once_and_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_INDEXED_BYTES", 1)
    path = tmp_path / "list.txt"
    path.write_text("a\nbc\n")
    assert list(ListedNames(path)) == ["a", "bc"]
    assert {file.name for file in tmp_path.iterdir()} == {"list.txt", "list.txt.index.npy"}

    scan = module._starts_of_lines
    monkeypatch.setattr(module, "_starts_of_lines", lambda chunks: pytest.fail("scanned again"))
    again = ListedNames(path)
    assert isinstance(again._starts, np.memmap)
    assert list(again) == ["a", "bc"]

    monkeypatch.setattr(module, "_starts_of_lines", scan)
    path.write_text("abc\nd\ne\n")
    assert list(ListedNames(path)) == list(ListedNames(path)) == ["abc", "d", "e"]


def test_a_list_in_a_read_only_folder_is_read_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_INDEXED_BYTES", 1)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (tmp_path / "list.txt").write_text("a\nbc\n")
    assert list(ListedNames(tmp_path / "list.txt")) == ["a", "bc"]
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]
