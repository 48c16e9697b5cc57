"""`dgsr rerun`: finish a sweep."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "rerun",
        help="run what failed or is missing in a sweep",
        description="Run the sweep of a directory again: jobs that are done stay as they are, those that were cut off "
        "resume from their last checkpoint, failed and missing ones run.",
    )
    parser.add_argument("sweep", type=Path, metavar="DIR", help="directory of the sweep")
    return parser


def run(arguments: Namespace) -> None:
    """Run the sweep's original command again, in its original directory.

    Raises:
        SystemExit: With the command's code.
        UserError: The directory holds no sweep.
    """
    from dgsr.apps.config.quoting import quoted
    from dgsr.apps.sweeps import SweepFolder

    folder = SweepFolder(arguments.sweep)
    command = folder.command
    words = [sys.executable, command.program, "-m", *command.arguments, f"hydra.sweep.dir={quoted(str(folder.path))}"]
    raise SystemExit(subprocess.run(words, cwd=command.cwd, check=False).returncode)
