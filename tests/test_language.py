"""Check code, configs, documentation and test names for words that are not plain technical English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

_PHRASES = re.compile(
    r"""\b(mend(?:s|ed|ing)?|anew|(?:go|goes|going|went)\W+on|one\Ws\W+own|whoever|so\W+many|put\W+up\W+with|beforehand
    |told|asked\W+for|wanted)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_FRAGMENTS = re.compile(r'(?:"""|#:?|^ +\w+:) ?(Of )', re.MULTILINE)
_VAGUE_NAMES = {"found", "of", "told", "seen", "asked", "wanted", "made", "here", "there", "what", "found_of"}


def test_code() -> None:
    files = sorted(ROOT.glob("dgsr/**/*.py"))
    refuse(hit for file in files for hit in (*phrases(file), *fragments(file), *vague_names(file)))


def test_configs() -> None:
    refuse(hit for file in sorted(ROOT.glob("conf/**/*.yaml")) for hit in (*phrases(file), *fragments(file)))


def test_documentation() -> None:
    files = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/**/*.md"))]
    refuse(hit for file in files for hit in phrases(file))


def test_names_of_tests() -> None:
    files = sorted(ROOT.glob("tests/**/*.py"))
    names = ((file, 1, file.stem) for file in files)
    functions = ((file, line, name) for file in files for line, name in defined_names(file) if name.startswith("test"))
    refuse(
        described(file, line, match[1])
        for file, line, name in (*names, *functions)
        for match in _PHRASES.finditer(name.replace("_", " "))
    )


def phrases(file: Path) -> Iterator[str]:
    """Yield banned phrases, also those inside identifiers."""
    yield from matches(file, _PHRASES, text(file).replace("_", " "))


def fragments(file: Path) -> Iterator[str]:
    """Yield docstrings, their entries and comments that begin with "Of"."""
    yield from matches(file, _FRAGMENTS, text(file))


def vague_names(file: Path) -> Iterator[str]:
    yield from (described(file, line, name) for line, name in used_names(file) if name.strip("_") in _VAGUE_NAMES)


def matches(file: Path, pattern: re.Pattern[str], content: str) -> Iterator[str]:
    for match in pattern.finditer(content):
        yield described(file, content.count("\n", 0, match.start(1)) + 1, match[1])


def defined_names(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text(file))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def used_names(file: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, name) of functions, classes, parameters, variables and attributes."""
    yield from defined_names(file)
    for node in ast.walk(ast.parse(text(file))):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield node.lineno, name


def text(file: Path) -> str:
    """Read a file; of the changelog only the newest section."""
    content = file.read_text(encoding="utf-8")
    return "\n## ".join(content.split("\n## ")[:2]) if file.name == "CHANGELOG.md" else content


def described(file: Path, line: int, word: str) -> str:
    return f"{file.relative_to(ROOT)}:{line}: {' '.join(word.split())}"


def refuse(hits: Iterable[str]) -> None:
    listed = sorted(set(hits))
    assert not listed, "\n".join(["", *listed])
