"""Run train.py and evaluate.py, whose arguments Hydra reads, from the command `dgsr`."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import dgsr

#: Options with which `dgsr evaluate` measures folders of images.
_FOLDERS = {"--sr", "--hq", "--lq", "--against"}


def program(name: str) -> Path:
    """Find train.py or evaluate.py: inside an installed package, or beside it in a checkout."""
    package = Path(dgsr.__file__).parent
    return next(path for path in (package / "programs" / name, package.parent / name) if path.is_file())


def program_for(words: Sequence[str]) -> Path | None:
    """Return the program that the arguments after `dgsr` are for, or None for another command.

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
    """Run a program in this process as Python does, so that it can start other processes by its path."""
    sys.argv = [str(path), *arguments]
    runpy.run_path(str(path), run_name="__main__")
