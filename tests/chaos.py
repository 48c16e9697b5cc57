"""Interrupt runs at random moments and compare their ends with an undisturbed run: `python -m tests.chaos`."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests import faults
from tests.sessions import Session, compare, run_of


def main() -> int:
    """Interrupt runs, resume them, compare, and print a table; return the number of runs that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="SIGKILLs at random moments (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random moments (default: 0)")
    parser.add_argument(
        "--only", choices=sorted(faults.FAULTS), nargs="*", help="the other faults to run (default: all)"
    )
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    trials = [*_kills(arguments.kills), *((name, faults.FAULTS[name]) for name in arguments.only or faults.FAULTS)]
    console = Console(stderr=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        console.print("Running undisturbed ...")
        undisturbed = Session(Path(folder) / "undisturbed").run_to_its_end()
        length = time.monotonic() - undisturbed.started
        for number, (name, fault) in enumerate(trials, start=1):
            session = Session(Path(folder) / str(number))
            moment, outcome = fault(session, length, moments)
            end = compare(run_of(undisturbed.logs), run_of(session.logs))
            rows.append((str(number), name, moment, outcome, end))
            console.print(*rows[-1], sep="  ")
    table = Table("", "fault", "moment", "outcome", "end")
    for row in rows:
        table.add_row(*row)
    Console(width=140).print(table)
    return sum("equal" not in row or any(part.isupper() for part in row[3].split()) for row in rows)


def _kills(count: int) -> Iterator[tuple[str, faults.Fault]]:
    for number in range(count):
        yield ("SIGKILL, saving", faults.kill_while_saving) if number % 4 == 3 else ("SIGKILL", faults.kill)


if __name__ == "__main__":
    raise SystemExit(main())
