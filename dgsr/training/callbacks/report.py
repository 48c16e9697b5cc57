"""Report the result of a run: its metrics beside bicubic and its start, and the paths of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning
from rich.console import Console
from rich.table import Table

from dgsr.pictures import curves
from dgsr.training.loop.csv_log import CsvLog, read_series
from dgsr.training.loop.module import TrainingModule, as_training
from dgsr.training.loop.validation import qualified, sets_of


class ClosingReport(lightning.Callback):
    """Print a table per validation set and the paths of checkpoint, curves and pictures; write `report.md`.

    Args:
        directory: The run's directory.
    """

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Report, in the main process."""
        module = as_training(pl_module)
        if not trainer.is_global_zero or not module.validations:
            return
        tables = {set_name: closing_rows(module, set_name) for set_name in sets_of(module.validations[-1])}
        console = Console()
        for set_name, rows in tables.items():
            console.print(_table(module, set_name, rows))
            console.print(verdict(module, rows))
        for name, path in self._paths(trainer).items():
            console.print(f"{name:>11}: {path}", soft_wrap=True, highlight=False, markup=False)
        if module.step < module.max_steps:
            stopped = f"Stopped at step {module.step} of {module.max_steps}."
            remedy = f"Resume with: dgsr train resume='{self.directory}'"
            console.print(stopped, remedy, soft_wrap=True, highlight=False, markup=False)
        (self.directory / "report.md").write_text("\n".join(_markdown(module, *table) for table in tables.items()))

    def _paths(self, trainer: lightning.Trainer) -> dict[str, Path]:
        paths = {"checkpoint": self.directory / "checkpoints" / "last.ckpt"}
        paths["best model"] = self.directory / "exported" / "best"
        logs = [logger.path for logger in trainer.loggers if isinstance(logger, CsvLog)]
        if logs:
            series = {name: points for name, points in read_series(logs[0]).items() if "bicubic" not in name}
            paths["curves"] = self.directory / "curves.png"
            curves(series, paths["curves"])
        panels = sorted((self.directory / "panels").rglob("step_*.png"), key=lambda path: path.name)
        if panels:
            paths["pictures"] = panels[-1]
        return {name: path for name, path in paths.items() if path.exists()}


def closing_rows(module: TrainingModule, set_name: str = "") -> dict[str, dict[str, float]]:
    """Return a set's metrics of bicubic resizing, of the model before training, and at the end, where measured."""
    first, last = module.validations[0], module.validations[-1]

    def measured(validation: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
        names = {name: qualified(set_name, prefix + name) for name in module.metrics}
        return {name: validation[key] for name, key in names.items() if key in validation}

    has_start = first["step"] == 0  # a resumed run may have other metrics than its start, or no validation but the last
    candidates = {
        "bicubic": measured(first, "bicubic/"),
        "before training": measured(first) if has_start else {},
        f"after step {int(last['step'])}": measured(last),
    }
    rows = {title: row for title, row in candidates.items() if row}
    shared = [name for name in measured(last) if all(name in row for row in rows.values())]
    return {title: {name: row[name] for name in shared} for title, row in rows.items()}


def _better(module: TrainingModule, name: str, value: float, than: float) -> bool:
    return value < than if module.metrics[name].direction == "lower" else value > than


def verdict(module: TrainingModule, rows: dict[str, dict[str, float]]) -> str:
    """Return a sentence that says where the trained model is better than bicubic and where it is not."""
    if "bicubic" not in rows:
        return ""
    after, bicubic = list(rows.values())[-1], rows["bicubic"]
    better = [name for name in after if _better(module, name, after[name], bicubic[name])]
    groups = {"better in": better, "not better in": [name for name in after if name not in better]}
    clauses = [f"{how} {', '.join(names)}" for how, names in groups.items() if names]
    return f"Against bicubic: {'; '.join(clauses)}."


def _headings(module: TrainingModule, names: Iterable[str]) -> list[str]:
    metrics = {name: module.metrics[name] for name in names}
    return [f"{name} {metric.arrow}\n{metric.variant}" for name, metric in metrics.items()]


def _table(module: TrainingModule, set_name: str, rows: dict[str, dict[str, float]]) -> Table:
    table = Table(title=f"Validation {set_name}".strip())
    for heading in ["", *_headings(module, next(iter(rows.values())))]:
        table.add_column(heading, justify="right" if heading else "left")
    for name, values in rows.items():
        table.add_row(name, *(f"{value:.4f}" for value in values.values()))
    return table


def _markdown(module: TrainingModule, set_name: str, rows: dict[str, dict[str, float]]) -> str:
    names = next(iter(rows.values()))
    headings = " | ".join(_headings(module, names)).replace("\n", ", ")
    lines = [f"| {set_name} | {headings} |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{v:.4f}" for v in values.values()) + " |" for name, values in rows.items()]
    return "\n".join([*lines, "", verdict(module, rows), ""])
