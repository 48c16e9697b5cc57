"""Log metrics as rows of (step, name, value), and continue the file when a run is resumed."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

Series = dict[str, list[tuple[int, float]]]


class CsvLog(Logger):
    """Write `metrics.csv`; the rows of steps that a resumed run repeats are dropped first.

    Args:
        directory: Folder of the file.
    """

    def __init__(self, directory: str) -> None:
        super().__init__()
        self.path = Path(directory) / "metrics.csv"
        self._opened = False

    @property
    def name(self) -> str:
        """The kind of log."""
        return "csv"

    @property
    def version(self) -> str:
        """Empty: a run directory holds one log."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Write nothing: the run directory already holds the composed config."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one row per metric."""
        at = int(step or 0)
        if not self._opened:
            self._drop_from(at)
            self._opened = True
        with self.path.open("a", newline="") as file:
            rows = ((at, name, repr(float(value))) for name, value in metrics.items() if name != "epoch")
            csv.writer(file).writerows(rows)

    def _drop_from(self, step: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = _whole_rows(self.path) if self.path.exists() else ()
        kept = [(at, name, repr(value)) for at, name, value in rows if at < step]
        temporary = self.path.with_suffix(".tmp")
        with temporary.open("w", newline="") as file:
            csv.writer(file).writerows([("step", "name", "value"), *kept])
        temporary.replace(self.path)


def read_series(path: Path) -> Series:
    """Read the log back: each metric's points in order of steps."""
    series: Series = {}
    for step, name, value in _whole_rows(path):
        series.setdefault(name, []).append((step, value))
    return series


def _whole_rows(path: Path) -> Iterator[tuple[int, str, float]]:
    """Yield the rows, without headings and without the partial last line that a killed run may have left."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for row in csv.reader(text[: text.rfind("\n") + 1].splitlines()):
        try:
            step, name, value = row
            yield int(step), name, float(value)
        except ValueError:
            continue
