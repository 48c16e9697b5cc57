"""The help of the programs: how to use them, and everything that can be chosen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"


@pytest.mark.parametrize("program", ["train", "evaluate"])
def test_help_begins_with_usage_and_examples(program: str) -> None:
    first, *lines = printed(program)
    assert first.startswith(f"Usage: python {program}.py ")
    assert sum(line.startswith(f"  python {program}.py ") for line in lines) == 3
    assert any("conf/" in line and "--cfg job" in line for line in lines)
    assert max(map(len, lines)) <= 120


def test_help_lists_every_choice_of_training() -> None:
    assert chosen("\n".join(printed("train"))) == choices()


def test_help_of_evaluation_lists_no_groups_of_training() -> None:
    text = "\n".join(printed("evaluate"))
    assert "discriminator" not in text
    assert "experiment" not in text


def printed(program: str) -> list[str]:
    command = [sys.executable, f"{program}.py", "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def chosen(text: str) -> dict[str, set[str]]:
    """Read the list of groups, whose choices may go on over several lines and stand behind a colon."""
    entries = re.findall(r"^  ([a-z/]+)  +(\S.*(?:\n {10,}\S.*)*)", text, re.MULTILINE)
    return {group: set(re.findall(r"\w+", listed.rpartition(": ")[2])) for group, listed in entries}


def choices() -> dict[str, set[str]]:
    files = [file for file in CONF.glob("*/**/*.yaml") if not file.name.startswith("_")]
    groups = {file.parent.relative_to(CONF).as_posix() for file in files} - {"hydra", "hydra/help"}
    return {group: {file.stem for file in files if file.parent == CONF / group} for group in groups}
