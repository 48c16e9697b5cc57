"""The directory of a sweep: its command, and one run directory per job."""

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
    """The run directory of one job; its files show the state of the job.

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
        """Whether the job is done, failed or unfinished; an unfinished one is running or was interrupted."""
        if self.failure.exists():
            return "failed"
        return "done" if self.summary.exists() else "unfinished"

    @property
    def reason(self) -> str:
        """Reason of the failure, as far as it can be read."""
        return self.failure.read_text(encoding="utf-8", errors="replace").strip() if self.failure.exists() else ""

    @property
    def overrides(self) -> list[str]:
        """Arguments of the job's process; empty before it has started."""
        return saved_overrides(self.path)

    def result(self) -> dict[str, Any]:
        """Read the summary that the run wrote at its end.

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
        """Command that started the sweep.

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
        """Record the command; a directory that already holds a sweep must hold the same one.

        Raises:
            UserError: It holds another.
        """
        if (self.path / _RECORD).exists():
            before, now = " ".join(self.command.arguments), " ".join(command.arguments)
            expect(before == now, f"{self.path} to hold the sweep {now}", before, "Choose another hydra.sweep.dir.")
        write_json(self.path / _RECORD, asdict(command))

    def jobs(self) -> list[JobFolder]:
        """List the started jobs in order; any folder of runs holds such jobs."""
        marks = ("console.log", ".hydra")
        inside = self.path.iterdir() if self.path.is_dir() else ()
        folders = [path for path in inside if any((path / mark).exists() for mark in marks)]
        return [JobFolder(path) for path in sorted(folders, key=lambda path: (len(path.name), path.name))]
