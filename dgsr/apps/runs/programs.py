"""The programs whose arguments Hydra reads, under the one command that every installation has."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import dgsr

#: That `dgsr evaluate` measures folders of images with.
_FOLDERS = {"--sr", "--hq", "--lq", "--against"}


def program(name: str) -> Path:
    """Find train.py or evaluate.py: inside an installed package, or beside it in a checkout."""
    package = Path(dgsr.__file__).parent
    return next(path for path in (package / "programs" / name, package.parent / name) if path.is_file())


def program_for(words: Sequence[str]) -> Path | None:
    """Return what the words after `dgsr` are meant for, if it is one of these programs.

    `dgsr evaluate` is evaluate.py if it gets `key=value` and no folder by `--sr`, `--hq`, `--lq` or `--against`.
    """
    match words:
        case ["train", *_]:
            return program("train.py")
        case ["evaluate", *rest] if any("=" in word and not word.startswith("-") for word in rest):
            named = {word.partition("=")[0] for word in rest}
            return None if named & _FOLDERS else program("evaluate.py")
    return None


def run_program(path: Path, arguments: Sequence[str]) -> None:
    """Run it in this process, as if Python had been started with it: it starts other processes by its own path."""
    sys.argv = [str(path), *arguments]
    runpy.run_path(str(path), run_name="__main__")
