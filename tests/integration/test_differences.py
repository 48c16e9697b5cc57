"""The page of differences from the paper names every module that says it differs, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = set(re.findall(r"`([\w/]+\.\w+)` \|$", (ROOT / "docs" / "differences.md").read_text(), re.MULTILINE))


def test_every_module_that_differs_is_in_the_table() -> None:
    modules = (ROOT / "dgsr").glob("**/*.py")
    differing = {path.relative_to(ROOT / "dgsr").as_posix() for path in modules if "Differs from" in path.read_text()}
    assert len(differing) > 5
    assert not differing - NAMED


def test_every_entry_of_the_table_exists() -> None:
    gone = [name for name in NAMED if not any((place / name).is_file() for place in (ROOT / "dgsr", ROOT))]
    assert not gone
