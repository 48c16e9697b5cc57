"""What Hydra wrote down when a run was started, by which it is found and goes on."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dgsr.apps.config.own_configs import PROVIDER
from dgsr.checks import expect, refuse

#: What is said for one start, not for those that follow it.
ONCE = ("resume=", "allow_changes=", "ckpt_path=", "hydra.run.dir=")

# Hydra writes over the first before anything can be refused; the second is what it held, until the start is accepted.
_RECORD, _KEPT, _UNREAD = ".hydra", ".hydra.kept", ".hydra.unread"
_REMEDY = "Mend it, or move the run away."


def started_with(overrides: Iterable[object]) -> list[str]:
    """Return the overrides of a run without those that belong to one start of it alone."""
    return [str(override) for override in overrides if not str(override).startswith(ONCE)]


def saved_overrides(run: Path) -> list[str]:
    """Return what a run was started with, as it recorded that; nothing if it has not come so far.

    Raises:
        UserError: The record is damaged.
    """
    file = record_of(run) / "overrides.yaml"
    found = read_config(file, "a list of overrides")
    # Of an empty file OmegaConf makes an empty mapping.
    expect(OmegaConf.is_list(found) or not found, "a list of overrides", file, _REMEDY)
    return started_with(found or [])


def saved_own_configs(run: Path) -> Path | None:
    """Return the folder of one's own configs that a run was started with.

    Raises:
        UserError: The record is damaged.
    """
    file = record_of(run) / "hydra.yaml"
    found = read_config(file, "Hydra's settings")
    expect(OmegaConf.is_dict(found) or not found, "Hydra's settings", file, _REMEDY)
    sources = OmegaConf.select(found, "hydra.runtime.config_sources") if found else []
    return next((Path(source.path) for source in sources or [] if source.provider == PROVIDER), None)


def keep_record(run: Path) -> None:
    """Keep what a run was started with while it is started anew, perhaps with what will be refused."""
    kept, copy = run / _KEPT, run / _UNREAD
    if (run / _RECORD).is_dir() and not kept.exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(run / _RECORD, copy)
        copy.rename(kept)


def accept_record(run: Path) -> None:
    """Let what Hydra wrote down at this start be the run's record, at once: other processes may be reading it."""
    if (run / _KEPT).exists():
        shutil.rmtree(run / _UNREAD, ignore_errors=True)
        (run / _KEPT).rename(run / _UNREAD)
        shutil.rmtree(run / _UNREAD, ignore_errors=True)


def read_config(file: Path, what: str, remedy: str = _REMEDY) -> Any:
    """Read a config; nothing if there is no such file.

    Raises:
        UserError: It is no YAML.
    """
    try:
        return OmegaConf.load(file) if file.is_file() else None
    except (YAMLError, UnicodeDecodeError, OmegaConfBaseException, OSError) as error:
        refuse(what, f"{file} ({' '.join(str(error).split())})", remedy)


def record_of(run: Path) -> Path:
    """Return the folder of the last start that was accepted."""
    return run / (_KEPT if (run / _KEPT).is_dir() else _RECORD)
