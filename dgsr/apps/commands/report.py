"""`dgsr report`: compare the runs of a sweep."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> ArgumentParser:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "report",
        help="compare the runs of a sweep",
        description="Write report.html, report.md and report.csv into the directory of a sweep, or any folder of runs: "
        "what sets the runs apart, their metrics with 95 % intervals, curves, pictures, time and memory.",
    )
    parser.add_argument("sweep", type=Path, metavar="DIR", help="directory of a sweep, or any folder of runs")
    return parser


def run(arguments: Namespace) -> None:
    """Write the report and print its path.

    Raises:
        UserError: There are no runs.
    """
    from dgsr.apps.sweeps import SweepFolder
    from dgsr.apps.sweeps.reading import write_report

    sys.stdout.write(f"{write_report(SweepFolder(arguments.sweep))}\n")
