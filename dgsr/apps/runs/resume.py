"""Continue a run in its own directory: find it, and give back the command line it was started with."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from omegaconf import DictConfig

from dgsr.apps.config.checking import conf_dir
from dgsr.apps.config.own_configs import naming, own_configs
from dgsr.apps.config.quoting import quoted, unquoted
from dgsr.apps.runs.ranks import rank
from dgsr.apps.runs.record import ONCE, keep_record, read_config, saved_overrides, saved_own_configs
from dgsr.checks import expect

_KEY, _RUN, _DIRECTORY = "resume=", "paths.run=", "hydra.run.dir="
#: Settings that do not make it another run: how long it goes on, on what, how it loads, and how it is watched.
_WATCHING = ("run.max_steps", "run.validate_", "run.save_", "run.log_", "callbacks", "logger")
_LOADING = ("data.num_workers=", "data.train.in_memory=")
_CIRCUMSTANCES = (*ONCE, *_WATCHING, *_LOADING, "trainer", "paths.", "hydra.")
_PRECISION = "trainer.precision="  # the one setting of the trainer that other numbers come of
_logger = logging.getLogger(__name__)


def logs_dir(arguments: list[str]) -> Path:
    """Return the folder of all runs, as conf/paths and the command line have it.

    Raises:
        UserError: It is a file.
    """
    folder = Path(_given(arguments, "paths.logs") or os.environ.get("DGSR_LOGS") or "logs")
    expect(folder.is_dir() or not folder.exists(), "a folder for paths.logs", f"{folder}, which is a file")
    return folder


def task_name(arguments: list[str]) -> str:
    """Return the name of the folder of a command line's runs: the one it gives, or else its experiment's own.

    Raises:
        UserError: The experiment cannot be read.
    """
    places = _places(own_configs(arguments)[0])
    own = _task_of(_given(arguments, "experiment") or "quick", places)
    return _given(arguments, "task_name") or own or "train"


def _task_of(experiment: str, places: list[Path], building: tuple[str, ...] = ()) -> str | None:
    """Return the task that an experiment names, or the last of those that it builds on."""
    if experiment in building:
        return None
    files = [place / "experiment" / f"{experiment}.yaml" for place in places]
    found = next((read_config(file, "a config", "Mend it.") for file in files if file.is_file()), None)
    if not isinstance(found, DictConfig):
        return None
    bases = [str(base) for base in found.get("defaults") or [] if isinstance(base, str) and base != "_self_"]
    tasks = [
        _task_of(base.removeprefix("/").removeprefix("experiment/"), places, (*building, experiment)) for base in bases
    ]
    return found.get("task_name") or next((task for task in reversed(tasks) if task), None)


def continued_arguments(arguments: list[str]) -> list[str]:
    """Expand `resume=auto`, `resume=last` or `resume=<run dir>` into the run's own overrides, then the new ones.

    Without `resume`, and with `auto` where there is nothing to continue, the arguments come back without it. The run
    directory is added as `hydra.run.dir`, so the run goes on where it was: same checkpoints, same logs. `--config-dir`
    comes first, in full; that of the run unless another is given. A job that SLURM has started again continues as by
    `auto`. `paths.run` becomes `hydra.run.dir` too: `.hydra/`, by which a run is continued, lies in it; where it is
    given, `auto` continues the run that is there.

    Raises:
        UserError: There is no such run, or it has no checkpoint yet; or a run would start where another one is.
    """
    arguments = [
        argument.replace(_RUN, _DIRECTORY, 1) if argument.startswith(_RUN) else argument for argument in arguments
    ]
    wanted = unquoted(_given(arguments, "resume") or ("auto" if _requeued(arguments) else "null"))
    runs = logs_dir(arguments) / task_name(arguments) / "runs"
    own, arguments = own_configs(arguments)
    arguments = [argument for argument in arguments if not argument.startswith(_KEY)]
    place = unquoted(_given(arguments, "hydra.run.dir"))
    there = [Path(place)] if place and (Path(place) / "checkpoints/last.ckpt").is_file() else []
    if wanted == "null":
        looking = any(argument.startswith("-") for argument in arguments)  # --help, --cfg job: nothing is started
        expect(
            looking or not there, "a folder without a run", place, f"Go on with it, resume={place}, or name another."
        )
        return [*naming(own), *arguments]
    if wanted == "auto":
        found = there if place else _newest_like(runs, arguments, own)
        if not found:
            _say("No run of this command line to continue under %s: starting one.", place or runs)
            return [*naming(own), *arguments]
        run = found[-1]
    else:
        run = last_run(runs) if wanted == "last" else Path(wanted)
        saved = run / ".hydra" / "overrides.yaml"
        expect(saved.is_file(), "resume=auto, last or <run directory>", run, "A run directory has .hydra/ in it.")
        whole = (run / "checkpoints/last.ckpt").is_file()
        expect(whole, "a run with a checkpoint", run, "It stopped before its first.")
    own = own or saved_own_configs(run)
    gone = f"{own}, which is gone"
    expect(own is None or own.is_dir(), "the run's own configs", gone, "Say where they are: --config-dir FOLDER.")
    directory = str(run.resolve())
    _say("Going on with %s", directory)
    given = [*saved_overrides(run), *arguments, f"{_KEY}{quoted(directory)}", f"{_DIRECTORY}{quoted(directory)}"]
    if rank() == 0:
        keep_record(run)
    return [*naming(own), *_added_once(given, own)]


def _added_once(overrides: list[str], own: Path | None) -> list[str]:
    """Let Hydra add (`+key=value`) and delete (`~key`) only what is not there or gone by what was said before."""
    last: dict[str, str] = {}
    once: list[str] = []
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        earlier = last.get(key, "")
        if override.startswith("~") and earlier.startswith("~"):
            continue
        if override.startswith("+") and earlier and not earlier.startswith("~"):
            is_group = any((place / key.partition("@")[0]).is_dir() for place in _places(own))
            chosen = is_group and not value.startswith("{")  # an option of a group
            override = ("" if chosen else "++") + override.lstrip("+")
        last[key] = override
        once.append(override)
    return once


def last_run(runs: Path) -> Path:
    """Return the run with the newest checkpoint, with a warning if it passes over a newer run that has none.

    Raises:
        UserError: There is none.
    """
    found = by_age(runs)
    expect(bool(found), f"a run with a checkpoint under {runs}", "none", "Start one: dgsr train")
    started = (found[-1] / "checkpoints/last.ckpt").stat().st_mtime
    for saved in sorted(runs.glob("*/.hydra/overrides.yaml")):
        run = saved.parents[1]
        if saved.stat().st_mtime > started and not (run / "checkpoints/last.ckpt").is_file():
            _say("Passing over %s, which is newer but stopped before its first checkpoint.", run)
    return found[-1]


def _newest_like(runs: Path, arguments: list[str], own: Path | None) -> list[Path]:
    """Return the runs of the same experiment that have a checkpoint, the one with the newest at the end."""
    wanted = (_experiment(arguments), own)
    return [run for run in by_age(runs) if (_experiment(saved_overrides(run)), saved_own_configs(run)) == wanted]


def by_age(runs: Path) -> list[Path]:
    """List the runs that have a checkpoint, the one with the newest at the end."""
    files = sorted(runs.glob("*/checkpoints/last.ckpt"), key=lambda file: file.stat().st_mtime)
    return [file.parents[1] for file in files]


def _places(own: Path | None) -> list[Path]:
    """List the folders that groups of settings are looked for in."""
    return [conf_dir(), *([] if own is None else [own])]


def _experiment(overrides: list[str]) -> dict[str, str]:
    """Return what decides a run's outcome; of a setting that is given twice, the later value counts."""
    plain = [override.lstrip("+") for override in overrides]
    lasting = [each for each in plain if each.startswith(_PRECISION) or not each.startswith(_CIRCUMSTANCES)]
    return {key: value for key, _, value in (override.partition("=") for override in lasting)}


def _requeued(arguments: list[str]) -> bool:
    """Tell whether SLURM has started this job before; the runs of a sweep are its own to continue."""
    in_sweep = any(argument.startswith(("-m", "--multirun")) for argument in arguments)
    return os.environ.get("SLURM_RESTART_COUNT", "0") != "0" and not in_sweep


def _say(message: str, path: Path | str) -> None:
    """Tell the user once; there is no log yet that would show anything below a warning."""
    if rank() == 0:
        _logger.warning(message, path)


def _given(arguments: list[str], key: str) -> str:
    given = [argument.removeprefix(f"{key}=") for argument in arguments if argument.startswith(f"{key}=")]
    return given[-1] if given else ""
