"""Show progress: steps, losses, speed and remaining time."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

import lightning
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from dgsr.training.loop.module import as_training

_logger = logging.getLogger(__name__)


class Progress(lightning.Callback):
    """Show a progress bar on a terminal, and a log line at intervals elsewhere.

    Args:
        every_steps: Steps between two log lines without a terminal.
    """

    def __init__(self, every_steps: int = 50) -> None:
        self.every_steps = every_steps
        self._console = Console(stderr=True)
        self._bar: RichProgress | None = None
        self._started, self._samples, self._first = 0.0, 0, 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock, and the bar on a terminal."""
        module = as_training(pl_module)
        self._started, self._samples, self._first = time.monotonic(), 0, module.step
        if not trainer.is_global_zero or not self._console.is_terminal:
            return
        columns = (MofNCompleteColumn(), BarColumn(20), TimeRemainingColumn(), TextColumn("{task.fields[text]}"))
        self._bar = RichProgress(*columns, console=self._console)
        self._bar.add_task("train", total=module.max_steps, completed=module.step, text="")
        self._bar.start()

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Show the losses of this step."""
        module = as_training(pl_module)
        self._samples += len(batch["hq"]) * trainer.world_size
        on_beat = module.step % self.every_steps == 0 or module.step == module.max_steps
        if not trainer.is_global_zero or (self._bar is None and not on_beat):
            return
        took = time.monotonic() - self._started
        shown = {n: float(v) for n, v in trainer.progress_bar_metrics.items() if n.startswith(("train/", "val/"))}
        losses = " ".join(f"{n.removeprefix('train/')} {v:.3g}" for n, v in shown.items() if "bicubic" not in n)
        text = f"{losses} | {self._samples / took:.1f} samples/s"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=module.step, text=text)
        else:
            left = timedelta(seconds=round(took / (module.step - self._first) * (module.max_steps - module.step)))
            _logger.info("step %d/%d  %s, %s left", module.step, module.max_steps, text, left)

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Keep the finished bar on the screen."""
        self._stop()

    def on_exception(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: Any) -> None:
        """Release the terminal."""
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
