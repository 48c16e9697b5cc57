"""Configs of one's own: a folder beside conf/, which `--config-dir DIR` names, as it does for Hydra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra

from dgsr.checks import expect

_OPTION, _SHORT = "--config-dir", "-cd"

#: Whom Hydra names as the one that this folder came from.
PROVIDER = "command-line"


def own_configs(arguments: Sequence[str]) -> tuple[Path | None, list[str]]:
    """Take `--config-dir` out of a command line; return the folder, in full, and the other arguments.

    Raises:
        UserError: It names no folder.
    """
    folder, others = None, []
    words = iter(arguments)
    for word in words:
        if word in (_OPTION, _SHORT):
            folder = next(words, "")
        elif word.startswith(f"{_OPTION}="):
            folder = word.partition("=")[2]
        else:
            others.append(word)
    return (None if folder is None else own_folder(folder)), others


def own_folder(name: str) -> Path:
    """Return the folder of that name, in full: other processes start elsewhere.

    Raises:
        UserError: It is none.
    """
    expect(name != "" and Path(name).is_dir(), f"{_OPTION} to name a folder of configs", name or "no name")
    return Path(name).resolve()


def naming(folder: Path | None) -> list[str]:
    """Write the option out, in one word; Hydra wants it before what is set."""
    return [] if folder is None else [f"{_OPTION}={folder}"]


@contextmanager
def composing(config_dir: Path, own: Path | None) -> Iterator[None]:
    """Let Hydra compose from a folder, and then from one's own, as its programs do."""
    with initialize_config_dir(str(config_dir.absolute()), version_base="1.3"):
        if own is not None:
            loader: Any = GlobalHydra.instance().config_loader()
            path = loader.get_search_path()
            path.prepend(PROVIDER, f"file://{own}", SearchPathQuery(provider="schema"))
            loader.repository.initialize_sources(path)
        yield
