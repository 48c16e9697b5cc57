"""The closing words of a run: what it gained over bicubic and over its start, and where everything lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import lightning
from rich.console import Console
from rich.table import Table

from dgsr.pictures import curves
from dgsr.training.csv_log import CsvLog, read_series
from dgsr.training.module import SuperResolution, module_of


class ClosingReport(lightning.Callback):
    """Print a table and the paths of the checkpoint, the curves and the pictures; write the table as Markdown.

    Args:
        directory: The run's directory.
    """

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Report, in the main process."""
        module = module_of(pl_module)
        if not trainer.is_global_zero or not module.validations:
            return
        rows = closing_rows(module)
        console = Console()
        console.print(_table(module, rows))
        console.print(verdict(module, rows))
        for name, path in self._paths(trainer).items():
            console.print(f"{name:>11}: {path}", soft_wrap=True, highlight=False)
        (self.directory / "report.md").write_text(_markdown(module, rows))

    def _paths(self, trainer: lightning.Trainer) -> dict[str, Path]:
        paths = {"checkpoint": self.directory / "checkpoints" / "last.ckpt"}
        logs = [logger.path for logger in trainer.loggers if isinstance(logger, CsvLog)]
        if logs:
            series = {name: points for name, points in read_series(logs[0]).items() if "bicubic" not in name}
            paths["curves"] = self.directory / "curves.png"
            curves(series, paths["curves"])
        panels = sorted((self.directory / "panels").glob("step_*.png"))
        if panels:
            paths["pictures"] = panels[-1]
        return {name: path for name, path in paths.items() if path.exists()}


def closing_rows(module: SuperResolution) -> dict[str, dict[str, float]]:
    """Return the metrics of bicubic resizing, of the model before the first step, and of the model at the end."""
    first, last = module.validations[0], module.validations[-1]
    names = [name for name in module.metrics if name in first]  # a resumed run may measure more than the first did
    rows = {f"after step {int(last['step'])}": {name: last[name] for name in names}}
    if first["step"] == 0:
        before = {name: first[name] for name in names}
        bicubic = {name: first[f"bicubic/{name}"] for name in names}
        rows = {"bicubic": bicubic, "before training": before} | rows
    return rows


def _better(module: SuperResolution, name: str, value: float, than: float) -> bool:
    return value < than if module.metrics[name].direction == "lower" else value > than


def verdict(module: SuperResolution, rows: dict[str, dict[str, float]]) -> str:
    """Say plainly where the trained model is better than bicubic and where it is worse."""
    if "bicubic" not in rows:
        return ""
    after, bicubic = list(rows.values())[-1], rows["bicubic"]
    better = [name for name in after if _better(module, name, after[name], bicubic[name])]
    found = {"better in": better, "not better in": [name for name in after if name not in better]}
    clauses = [f"{how} {', '.join(names)}" for how, names in found.items() if names]
    return f"Against bicubic: {'; '.join(clauses)}."


def _headings(module: SuperResolution, names: Iterable[str]) -> list[str]:
    arrows = {"lower": "↓", "higher": "↑"}
    metrics = {name: module.metrics[name] for name in names}
    return [f"{name} {arrows[str(metric.direction)]}\n{metric.variant}" for name, metric in metrics.items()]


def _table(module: SuperResolution, rows: dict[str, dict[str, float]]) -> Table:
    table = Table(title="Validation")
    for heading in ["", *_headings(module, next(iter(rows.values())))]:
        table.add_column(heading, justify="right" if heading else "left")
    for name, values in rows.items():
        table.add_row(name, *(f"{value:.4f}" for value in values.values()))
    return table


def _markdown(module: SuperResolution, rows: dict[str, dict[str, float]]) -> str:
    names = next(iter(rows.values()))
    headings = " | ".join(_headings(module, names)).replace("\n", ", ")
    lines = [f"| | {headings} |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{v:.4f}" for v in values.values()) + " |" for name, values in rows.items()]
    return "\n".join([*lines, "", verdict(module, rows), ""])
