"""What lies in the directory of a sweep: the command that made it, and a run directory for each of its jobs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from dgsr.apps.runs.record import saved_overrides
from dgsr.checks import expect, read_record
from dgsr.files import write_json

_RECORD = "sweep.json"
State = Literal["done", "failed", "unfinished"]


@dataclass(frozen=True)
class Command:
    """How a sweep was started: program and arguments, and the folder it was started in."""

    program: str
    arguments: list[str]
    cwd: str


class JobFolder:
    """The run directory of one job; which files lie in it tells how far the job has come.

    Args:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.console = path / "console.log"
        self.failure = path / "failure.txt"
        self.summary = path / "summary.json"
        self.checkpoint = path / "checkpoints" / "last.ckpt"

    @property
    def state(self) -> State:
        """Tell whether the job has come to its end; an unfinished one is running, or was cut off."""
        if self.failure.exists():
            return "failed"
        return "done" if self.summary.exists() else "unfinished"

    @property
    def reason(self) -> str:
        """Why it failed, as far as that can be read."""
        return self.failure.read_text(encoding="utf-8", errors="replace").strip() if self.failure.exists() else ""

    @property
    def overrides(self) -> list[str]:
        """The arguments that the job's process was started with; none if it has not come so far."""
        return saved_overrides(self.path)

    def result(self) -> dict[str, Any]:
        """Read what the run wrote at its end.

        Raises:
            UserError: It is damaged.
        """
        return read_record(self.summary, "Remove it, and run the job again: dgsr rerun <sweep>.")


class SweepFolder:
    """The directory of a sweep.

    Args:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def command(self) -> Command:
        """What the sweep was started with.

        Raises:
            UserError: It is no sweep's directory, or its record is damaged.
        """
        record = self.path / _RECORD
        expect(record.is_file(), "the directory of a sweep", self.path, f"It holds a file {_RECORD}.")
        remedy = "Start a new sweep."
        saved = read_record(record, remedy)
        expect(saved.keys() == {field.name for field in fields(Command)}, "the record of a sweep", record, remedy)
        return Command(**saved)

    def claim(self, command: Command) -> None:
        """Write the command down; a directory that holds a sweep already must hold the same one.

        Raises:
            UserError: It holds another.
        """
        if (self.path / _RECORD).exists():
            before, now = " ".join(self.command.arguments), " ".join(command.arguments)
            expect(before == now, f"{self.path} to hold the sweep {now}", before, "Choose another hydra.sweep.dir.")
        write_json(self.path / _RECORD, asdict(command))

    def jobs(self) -> list[JobFolder]:
        """List the jobs that were started, in their order; any other folder of runs holds such jobs too."""
        marks = ("console.log", ".hydra")
        inside = self.path.iterdir() if self.path.is_dir() else ()
        folders = [path for path in inside if any((path / mark).exists() for mark in marks)]
        return [JobFolder(path) for path in sorted(folders, key=lambda path: (len(path.name), path.name))]
