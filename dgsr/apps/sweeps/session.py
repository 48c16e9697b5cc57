"""Run a sweep, from its command line to its closing summary."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dgsr.apps.config.command_line import CommandLine
from dgsr.apps.config.composing import sweeps_folder
from dgsr.apps.config.overrides import first_of_sweep
from dgsr.apps.config.quoting import quoted
from dgsr.apps.runs.entry import INTERRUPTED
from dgsr.apps.sweeps.folder import Command, SweepFolder
from dgsr.checks import UserError, expect


def sweep_of(command: CommandLine) -> tuple[CommandLine, SweepFolder | None]:
    """Choose the directory of a sweep before Hydra starts, and record the command in it.

    Args:
        command: The command line. `sweep=…` implies `-m`, except for a single run in a given directory.

    Returns:
        The command line for Hydra, and the sweep's directory; None if it is not a sweep. If Hydra only prints something
        (`--cfg job`, `--help`, …), the command line is that of the first job.

    Raises:
        UserError: The directory holds another sweep, or several processes are about to run the same one.
    """
    in_one_place = command.value("hydra.run.dir") is not None
    if not command.is_multirun and (command.value("sweep") is None or in_one_place):
        return command, None
    single = command.single_run()
    if command.is_printing:
        return replace(single, overrides=tuple(first_of_sweep(single.overrides))), None
    expect(not in_one_place, "-m or resume=, one of them", "both", "Resume a sweep with: dgsr rerun <its directory>.")
    expect("LOCAL_RANK" not in os.environ, "one process for a sweep", "torchrun", "Use -m trainer=ddp instead.")
    given = command.value("hydra.sweep.dir")
    folder = SweepFolder(Path(given) if given else _new_folder(sweeps_folder(single)))
    kept = single.without("hydra.sweep.dir")
    folder.claim(Command(str(Path(sys.argv[0]).resolve()), kept.words, str(Path.cwd())))
    return replace(kept.plus(f"hydra.sweep.dir={quoted(str(folder.path))}"), flags=("-m", *kept.flags)), folder


def _new_folder(sweeps: Path) -> Path:
    """Create a folder named after the time, with a number if another sweep started in the same second."""
    started = f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    for number in itertools.count(1):
        folder = sweeps / (started if number == 1 else f"{started}_{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError  # itertools.count never ends


@contextmanager
def sweeping(folder: SweepFolder | None) -> Iterator[None]:
    """Run a sweep, then write its report and list the jobs that are not done; do nothing for a single run.

    Raises:
        SystemExit: Not all jobs are done: 1, or 130 if the sweep was interrupted.
    """
    if folder is None:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C
    code = 1
    try:
        yield
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        if code != INTERRUPTED and any((job.path / "validation").is_dir() for job in folder.jobs()):
            from dgsr.apps.sweeps.reading import write_report  # imports torch, which would delay the start

            try:
                sys.stderr.write(f"Report: {write_report(folder)}\n")
            except (UserError, OSError) as error:  # the jobs' own results are complete
                code = 1
                sys.stderr.write(f"No report: {error} Once that is fixed: dgsr report {folder.path}\n")
        sys.stderr.writelines(f"{line}\n" for line in closing_lines(folder))
    undone = any(job.state != "done" for job in folder.jobs())
    if code or undone:
        raise SystemExit(code or 1)


def closing_lines(folder: SweepFolder) -> list[str]:
    """Count the jobs that were started, name those that are not done with their reasons, and say how to resume."""
    jobs = folder.jobs()
    undone = [job for job in jobs if job.state != "done"]
    lines = [f"{len(jobs) - len(undone)} of {len(jobs)} started jobs done in {folder.path}"]
    lines += [f"  {job.path.name} failed: {job.reason}" for job in undone if job.state == "failed"]
    lines += [f"  {job.path.name} was interrupted" for job in undone if job.state == "unfinished"]
    if undone:
        lines.append(f"Resume with: dgsr rerun '{folder.path}'")
    return lines
