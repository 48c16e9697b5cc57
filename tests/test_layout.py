"""The beauty gate: every file has a docstring, a bearable length, and an honest name."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_LINES = 250
NAMES_THAT_SAY_NOTHING = {"utils", "util", "common", "misc", "base", "helpers", "helper", "core"}

SOURCES = sorted(ROOT.glob("dgsr/**/*.py"))
FILES = sorted([*SOURCES, *ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py"), *ROOT.glob("*.py")])


def test_files_are_short() -> None:
    lengths = {path: len(text(path).splitlines()) for path in FILES}
    refuse(f"{name(path)} has {length} lines" for path, length in lengths.items() if length > MAX_LINES)


def test_files_say_what_they_are() -> None:
    refuse(f"{name(path)} has no docstring" for path in FILES if not ast.get_docstring(tree(path)))


def test_names_say_something() -> None:
    parts = {path: set(path.relative_to(ROOT).with_suffix("").parts) for path in FILES}
    refuse(f"{name(path)} could hold anything" for path in FILES if parts[path] & NAMES_THAT_SAY_NOTHING)


def test_the_package_logs_and_never_prints() -> None:
    calls = ((path, node.func) for path in SOURCES for node in ast.walk(tree(path)) if isinstance(node, ast.Call))
    refuse(
        f"{name(path)} prints in line {f.lineno}" for path, f in calls if isinstance(f, ast.Name) and f.id == "print"
    )


def test_tests_are_not_packages() -> None:
    refuse(f"{name(path)} makes a package of tests" for path in ROOT.glob("tests/**/__init__.py"))


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
