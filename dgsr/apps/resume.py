"""Continue a run in its own directory: find it, and give back the command line it was started with."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from omegaconf import OmegaConf

from dgsr.apps.quoting import quoted, unquoted
from dgsr.checks import expect

_KEY = "resume="
_ONCE = (_KEY, "ckpt_path=", "hydra.run.dir=")  # what a run is started with, but not continued with
_logger = logging.getLogger(__name__)


def logs_dir(arguments: list[str]) -> Path:
    """Return the folder of all runs, as conf/paths and the command line have it."""
    given = [argument.removeprefix("paths.logs=") for argument in arguments if argument.startswith("paths.logs=")]
    return Path(given[-1] if given else os.environ.get("DGSR_LOGS", "logs"))


def continued_arguments(arguments: list[str], task: str = "train") -> list[str]:
    """Expand `resume=last` or `resume=<run dir>` into the run's own overrides, then the new ones.

    Without `resume` the arguments come back as they are. The run directory is added as `hydra.run.dir`, so the
    run goes on where it was: same checkpoints, same logs.

    Raises:
        UserError: There is no such run, or it has no checkpoint yet.
    """
    wanted = [unquoted(argument.removeprefix(_KEY)) for argument in arguments if argument.startswith(_KEY)]
    if not wanted or wanted[-1] in ("", "null"):
        return arguments
    run = last_run(logs_dir(arguments) / task / "runs") if wanted[-1] == "last" else Path(wanted[-1])
    saved = run / ".hydra" / "overrides.yaml"
    expect(saved.is_file(), "resume=last or resume=<run directory>", run, "A run directory has .hydra/ in it.")
    expect((run / "checkpoints/last.ckpt").is_file(), "a run with a checkpoint", run, "It stopped before its first.")
    before = started_with(OmegaConf.load(saved))
    arguments = [argument for argument in arguments if not argument.startswith(_KEY)]
    directory = str(run.resolve())
    _logger.info("Going on with %s", directory)
    return [*before, *arguments, f"{_KEY}{quoted(directory)}", f"hydra.run.dir={quoted(directory)}"]


def started_with(overrides: Iterable[object]) -> list[str]:
    """Return the overrides of a run without those that belong to one start of it alone."""
    return [str(override) for override in overrides if not str(override).startswith(_ONCE)]


def last_run(runs: Path) -> Path:
    """Return the newest run that has a checkpoint.

    Raises:
        UserError: There is none.
    """
    files = sorted(runs.glob("*/checkpoints/last.ckpt"), key=lambda file: file.stat().st_mtime)
    expect(bool(files), f"a run with a checkpoint under {runs}", "none", "Start one: python train.py")
    return files[-1].parents[1]
