"""Shared parts of commands that process a folder of images: reading, skipping, reporting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from dgsr.checks import UserError, expect
from dgsr.data import FolderSource
from dgsr.data.names import Names
from dgsr.data.sources import FileSource


def source_outside(root: Path, targets: Sequence[Path], key: str) -> FileSource:
    """Open the images of a folder, without those that are links into the folders of results.

    Args:
        root: The folder.
        targets: Folders for the results.
        key: Name of the folder's argument in error messages.

    Raises:
        UserError: There are no images, or a target is a file or inside the folder, where a second call would read it.
    """
    source: FileSource = FolderSource(root, key=key)
    for target in targets:
        expect(target.is_dir() or not target.exists(), "a folder to write to", f"{target}, which is a file")
        home = target.resolve()
        inside = root.resolve() in (home, *home.parents)
        expect(not inside, f"a folder outside {root} to write to", target, "A second call would take the first's.")
        if home not in root.resolve().parents:
            names = [name for name in source.names if home not in (root / name).resolve().parents]
            source = FileSource(root, Names.join(names), key=key)
    return source


def say(console: Console, sentence: str) -> None:
    """Print a sentence without wrapping or markup."""
    console.print(sentence, soft_wrap=True, highlight=False, markup=False)


def tell_kept(console: Console, num_missing: int, num_all: int) -> None:
    """Print the number of results that exist already."""
    if num_missing < num_all:
        say(console, f"{num_all - num_missing} of {num_all} images are there already.")


def expect_none_failed(failed: Sequence[str], num_tried: int, done: str) -> None:
    """Report all failures at the end.

    Raises:
        UserError: Something failed.
    """
    if failed:
        summary = [f"{len(failed)} of {num_tried} images could not be {done}."] if num_tried > 1 else []
        raise UserError("\n".join([*failed, *summary]))
