"""A sweep from the command line: where it goes, and its closing words."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from dgsr.apps.config.overrides import first_of_sweep
from dgsr.apps.config.quoting import quoted, unquoted
from dgsr.apps.runs.resume import logs_dir, task_name
from dgsr.apps.sweeps.folder import Command, SweepFolder
from dgsr.checks import UserError, expect

_FLAGS = {"-m", "--multirun"}
#: Of Hydra, which then runs nothing.
_SHOWING = {"--cfg", "-c", "--help", "-h", "--hydra-help", "--info", "-i", "--shell-completion", "-sc", "--version"}
_DIRECTORY = "hydra.sweep.dir="
_ONE_RUN = "hydra.run.dir="
_INTERRUPTED = 130


def sweep_of(arguments: list[str]) -> tuple[list[str], SweepFolder | None]:
    """Fix the directory of a sweep before Hydra starts, and write down there what it takes to go on.

    Args:
        arguments: Of the command line. `sweep=…` implies `-m`, except for a single run in a directory that is given.

    Returns:
        The arguments to hand to Hydra, and the sweep's directory; None if it is not a sweep. What Hydra only shows
        (`--cfg job`, `--help`, …) is shown for the sweep's first job.

    Raises:
        UserError: The directory holds another sweep, or several processes are about to run the same one.
    """
    named = any(argument.startswith("sweep=") for argument in arguments)
    continued = any(argument.startswith(_ONE_RUN) for argument in arguments)
    if not _FLAGS & set(arguments) and (not named or continued):
        return arguments, None
    if _SHOWING & {argument.partition("=")[0] for argument in arguments}:
        return first_of_sweep([argument for argument in arguments if argument not in _FLAGS]), None
    expect(not continued, "-m or resume=, one of them", "both", "A sweep goes on with: dgsr rerun <its directory>.")
    expect("LOCAL_RANK" not in os.environ, "one process for a sweep", "torchrun", "Say -m trainer=ddp instead.")
    given = [unquoted(argument.removeprefix(_DIRECTORY)) for argument in arguments if argument.startswith(_DIRECTORY)]
    path = Path(given[-1]) if given else _new_folder(logs_dir(arguments) / task_name(arguments) / "multiruns")
    folder = SweepFolder(path)
    kept = [argument for argument in arguments if argument not in _FLAGS and not argument.startswith(_DIRECTORY)]
    folder.claim(Command(str(Path(sys.argv[0]).resolve()), kept, str(Path.cwd())))
    # Each job's process writes its own .hydra/.
    return ["-m", *kept, _DIRECTORY + quoted(str(folder.path)), "hydra.output_subdir=null"], folder


def _new_folder(sweeps: Path) -> Path:
    """Make a folder named after the time; a number tells it from those of sweeps started in the same second."""
    started = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    for number in itertools.count(1):
        folder = sweeps / (started if number == 1 else f"{started}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # the numbers do not end


@contextmanager
def sweeping(folder: SweepFolder | None) -> Iterator[None]:
    """Let a sweep run, then compare its jobs and say what became of them; anything else runs as it is.

    Raises:
        SystemExit: Not all jobs are done: 1, or 130 if the sweep was interrupted.
    """
    if folder is None:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    code = 1
    try:
        yield
        code = 0
    except KeyboardInterrupt:
        code = _INTERRUPTED
    finally:
        if code != _INTERRUPTED and any((job.path / "validation").is_dir() for job in folder.jobs()):
            from dgsr.apps.sweeps.reading import write_report  # here, since it imports torch, which no sweep waits for

            try:
                sys.stderr.write(f"Report: {write_report(folder)}\n")
            except (UserError, OSError) as error:  # of jobs nothing is lost by it
                code = 1
                sys.stderr.write(f"No report: {error} Once that is mended: dgsr report {folder.path}\n")
        sys.stderr.writelines(f"{line}\n" for line in closing_words(folder))
    undone = any(job.state != "done" for job in folder.jobs())
    if code or undone:
        raise SystemExit(code or 1)


def closing_words(folder: SweepFolder) -> list[str]:
    """Count the jobs that were started, name those that are not done with their reasons, and say how to go on."""
    jobs = folder.jobs()
    undone = [job for job in jobs if job.state != "done"]
    lines = [f"{len(jobs) - len(undone)} of {len(jobs)} started jobs done in {folder.path}"]
    lines += [f"  {job.path.name} failed: {job.reason}" for job in undone if job.state == "failed"]
    lines += [f"  {job.path.name} was cut off" for job in undone if job.state == "unfinished"]
    return lines + [f"Go on with: dgsr rerun '{folder.path}'"] * bool(undone)
