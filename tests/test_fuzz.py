"""A small share of the mutated files of `python -m tests.fuzz`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.fuzz import EXPECTED, Target, sound_files


def test_sound_files_are_read_but_for_what_is_none(tmp_path: Path) -> None:
    target = Target(tmp_path)
    endings = {ending for ending, _ in sound_files()}
    assert endings == {".png", ".jpeg", ".webp", ".tiff", ".gif"}
    assert len(target.files) == len(sound_files())


def test_mutated_files_give_a_picture_or_a_sentence(tmp_path: Path) -> None:
    target = Target(tmp_path)
    counts = Counter(target.attack(case) for case in range(200))
    assert counts.keys() == EXPECTED
    assert min(counts.values()) >= 5
