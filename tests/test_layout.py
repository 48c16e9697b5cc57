"""Check that files are short, have docstrings and have specific names."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 250
GENERIC_NAMES = {"utils", "util", "common", "misc", "base", "helpers", "helper", "core"}

SOURCES = sorted(ROOT.glob("dgsr/**/*.py"))
FILES = sorted([*SOURCES, *ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("*.py")])


def test_files_are_short() -> None:
    lengths = {path: len(text(path).splitlines()) for path in FILES}
    refuse(f"{name(path)} has {length} lines" for path, length in lengths.items() if length > MAX_LINES)


def test_files_have_docstrings() -> None:
    refuse(f"{name(path)} has no docstring" for path in FILES if not ast.get_docstring(tree(path)))


def test_file_names_are_specific() -> None:
    parts = {path: set(path.relative_to(ROOT).with_suffix("").parts) for path in FILES}
    refuse(f"{name(path)} has a generic name" for path in FILES if parts[path] & GENERIC_NAMES)


def test_package_does_not_print() -> None:
    calls = ((path, node.func) for path in SOURCES for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    refuse(
        f"{name(path)} prints in line {f.lineno}" for path, f in calls if isinstance(f, ast.Name) and f.id == "print"
    )


def test_tests_are_not_packages() -> None:
    refuse(f"{name(path)} turns tests into a package" for path in ROOT.glob("tests/**/__init__.py"))


def refuse(offences: Iterable[str]) -> None:
    listed = list(offences)
    assert not listed, "\n".join(["", *listed])


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path))
