"""Resume a run in its own directory: find it, and restore the command line it was started with."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from dgsr.apps.config.command_line import CommandLine, Setting, added_once
from dgsr.apps.config.composing import runs_folder
from dgsr.apps.config.quoting import quoted
from dgsr.apps.config.sources import conf_dir
from dgsr.apps.runs.ranks import rank
from dgsr.apps.runs.record import ONE_START, saved_config_dir, saved_overrides
from dgsr.checks import expect

_LAST = Path("checkpoints", "last.ckpt")
#: Settings that may change on resume: duration, hardware, loading, logging and where the run is.
_DURATION_AND_WATCHING = ("run.max_steps", "run.validate_", "run.save_", "run.log_", "callbacks", "logger")
_LOADING = ("data.num_workers", "data.train.in_memory")
_CIRCUMSTANCES = (*ONE_START, *_DURATION_AND_WATCHING, *_LOADING, "trainer", "paths", "hydra")
_PRECISION = "trainer.precision"  # the one setting of the trainer that changes the numbers
_logger = logging.getLogger(__name__)


def resumed(command: CommandLine) -> CommandLine:
    """Expand `resume=auto`, `resume=last` or `resume=<run dir>` into the run's own overrides, then the new ones.

    Without `resume`, and with `auto` if there is nothing to resume, a new run starts. Otherwise the run directory is
    added as `hydra.run.dir`, so that checkpoints and logs stay in one place. `--config-dir` is the run's own unless
    another is given. A job that SLURM has requeued resumes as with `auto`. `paths.run` becomes `hydra.run.dir`; if
    either is given, `auto` resumes the run in that directory.

    Raises:
        UserError: The run does not exist or has no checkpoint, or a new run would start in the directory of another.
    """
    requested = command.value("resume") or ("auto" if _is_requeued(command) else "null")
    command = command.without("resume").renamed("paths.run", "hydra.run.dir")
    directory = command.value("hydra.run.dir")
    is_taken = directory is not None and (Path(directory) / _LAST).is_file()
    if requested == "null":
        remedy = f"Resume it with resume={directory}, or name another folder."
        expect(not is_taken or bool(command.flags), "a folder without a run", directory, remedy)
        return command
    if requested == "auto":
        runs = Path(directory) if directory else runs_folder(command)
        run = (runs if is_taken else None) if directory else _newest_like(runs, command)
        if run is None:
            _say("No run of this command line to resume in %s. Starting a new one.", runs)
            return command
    else:
        run = last_run(runs_folder(command)) if requested == "last" else Path(requested)
        recorded = (run / ".hydra" / "overrides.yaml").is_file()
        expect(recorded, "resume=auto, last or <run directory>", run, "A run directory contains .hydra/.")
        expect((run / _LAST).is_file(), "a run with a checkpoint", run, "It stopped before its first.")
    return _with_overrides_of(run, command)


def last_run(runs: Path) -> Path:
    """Return the run with the newest checkpoint, with a warning if it skips a newer run that has none.

    Raises:
        UserError: There is none.
    """
    saved = by_age(runs)
    expect(bool(saved), f"a run with a checkpoint under {runs}", "none", "Start one: dgsr train")
    newest = (saved[-1] / _LAST).stat().st_mtime
    for record in sorted(runs.glob("*/.hydra/overrides.yaml")):
        run = record.parents[1]
        if record.stat().st_mtime > newest and not (run / _LAST).is_file():
            _say("Skipping %s, which is newer but stopped before its first checkpoint.", run)
    return saved[-1]


def by_age(runs: Path) -> list[Path]:
    """List the runs that have a checkpoint; the one with the newest checkpoint comes last."""
    files = sorted(runs.glob(f"*/{_LAST}"), key=lambda file: file.stat().st_mtime)
    return [file.parents[1] for file in files]


def _with_overrides_of(run: Path, command: CommandLine) -> CommandLine:
    own = command.config_dir or saved_config_dir(run)
    gone = f"{own}, which does not exist"
    expect(own is None or own.is_dir(), "the --config-dir of the run", gone, "Name its place: --config-dir FOLDER.")
    directory = str(run.resolve())
    _say("Resuming %s", directory)
    start = [f"resume={quoted(directory)}", f"hydra.run.dir={quoted(directory)}"]
    folders = [conf_dir(), *([] if own is None else [own])]
    overrides = added_once([*saved_overrides(run), *command.overrides, *start], folders)
    return CommandLine(tuple(overrides), command.flags, own)


def _newest_like(runs: Path, command: CommandLine) -> Path | None:
    """Return the run of the same experiment that has the newest checkpoint, if there is one."""
    same = (_experiment(command.overrides), command.config_dir)
    runs_alike = [run for run in by_age(runs) if (_experiment(saved_overrides(run)), saved_config_dir(run)) == same]
    return runs_alike[-1] if runs_alike else None


def _experiment(overrides: Iterable[str]) -> dict[str, str]:
    """Return the overrides that decide a run's outcome; the last one of each key counts."""
    settings = [Setting.parse(override) for override in overrides]
    deciding = [each for each in settings if each.key == _PRECISION or not each.key.startswith(_CIRCUMSTANCES)]
    return {each.key: "~" if each.prefix == "~" else each.value for each in deciding}


def _is_requeued(command: CommandLine) -> bool:
    """Return whether SLURM has started this job before; a sweep resumes its own runs."""
    return os.environ.get("SLURM_RESTART_COUNT", "0") != "0" and not command.is_multirun


def _say(message: str, path: Path | str) -> None:
    """Log as a warning: Hydra configures the log later, and until then only warnings are shown."""
    if rank() == 0:
        _logger.warning(message, path)
