"""Metrics as rows of (step, name, value): appended while training, continued when a run is resumed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

Series = dict[str, list[tuple[int, float]]]


class CsvLog(Logger):
    """Write `metrics.csv`; the rows of steps that a resumed run repeats are dropped first.

    Args:
        directory: Where the file lies.
    """

    def __init__(self, directory: str) -> None:
        super().__init__()
        self.path = Path(directory) / "metrics.csv"
        self._opened = False

    @property
    def name(self) -> str:
        """Return the kind of log."""
        return "csv"

    @property
    def version(self) -> str:
        """Return nothing: a run directory holds one log."""
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Write nothing: the run directory already holds the composed config."""

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Append one row a metric."""
        at = int(step or 0)
        if not self._opened:
            self._drop_from(at)
            self._opened = True
        with self.path.open("a", newline="") as file:
            rows = ((at, name, repr(float(value))) for name, value in metrics.items() if name != "epoch")
            csv.writer(file).writerows(rows)

    def _drop_from(self, step: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines()[1:] if self.path.exists() else []
        whole = [line for line in lines if line.count(",") == 2]  # a killed run may have left half a row
        kept = [line for line in whole if int(line.split(",")[0]) < step]
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text("\n".join(["step,name,value", *kept]) + "\n")
        temporary.replace(self.path)


def read_series(path: Path) -> Series:
    """Read the log back: each metric's points in order of steps."""
    series: Series = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            series.setdefault(row["name"], []).append((int(row["step"]), float(row["value"])))
    return series
