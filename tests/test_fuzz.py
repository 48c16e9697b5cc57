"""Run a few cases of `python -m tests.fuzz`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.fuzz import EXPECTED, Target, sound_files


def test_valid_files_cover_all_formats() -> None:
    endings = {ending for ending, _ in sound_files()}
    assert endings == {".png", ".jpeg", ".webp", ".tiff", ".gif"}


def test_mutated_files_give_an_image_or_an_error(tmp_path: Path) -> None:
    target = Target(tmp_path)
    counts = Counter(target.attack(case) for case in range(200))
    assert counts.keys() == EXPECTED
    assert min(counts.values()) >= 5
