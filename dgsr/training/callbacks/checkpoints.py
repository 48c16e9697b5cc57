"""Save checkpoints of a run, and link the newest and the best one as `last.ckpt` and `best.ckpt`."""

from __future__ import annotations

import math
import os
import shutil
import time
from pathlib import Path
from typing import Any

import lightning

from dgsr.checks import NO_ROOM, expect
from dgsr.training.loop.module import TrainingModule, as_training
from dgsr.training.loop.validation import qualified


class Checkpoints(lightning.Callback):
    """Keep the latest checkpoints and the best one.

    A step is saved after its validation and logs, before the next step, so that a resumed run neither repeats nor skips
    anything.

    Args:
        directory: Folder to write to.
        every_steps: Steps between two saves.
        every_minutes: Also save this many minutes after the last save; None saves only by steps.
        keep_last: Numbered files to keep; `last.ckpt` and `best.ckpt` are hard links.
        monitor: The validation metric that decides which file is the best; `<set>/<metric>` for a named set.
    """

    def __init__(
        self,
        directory: str,
        every_steps: int,
        every_minutes: float | None = None,
        keep_last: int = 2,
        monitor: str = "lpips",
    ) -> None:
        expect(every_steps > 0, "callbacks.checkpoints.every_steps above 0", every_steps)
        expect(every_minutes is None or every_minutes > 0, "run.save_every_minutes above 0, or null", every_minutes)
        expect(keep_last > 0, "callbacks.checkpoints.keep_last above 0", keep_last)
        self.directory = Path(directory)
        self.every_steps, self.every_minutes = every_steps, every_minutes
        self.keep_last, self.monitor = keep_last, monitor
        self.best: float | None = None
        self.saved_step, self._first, self._saved_at = -1, 0, 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far."""
        return {"monitor": self.monitor, "best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore it, unless another metric is monitored now."""
        if state_dict["monitor"] == self.monitor:
            self.best = state_dict["best"]

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Refuse a metric that is not measured, before training.

        Raises:
            UserError: No validation set has the monitored metric.
        """
        sets = trainer.datamodule.val_pairs.sets  # type: ignore[attr-defined] (Lightning sets it at run time)
        measured = [qualified(set_name, metric) for set_name in sets for metric in as_training(pl_module).metrics]
        expected, remedy = f"callbacks.checkpoints.monitor among {', '.join(measured)}", "Or add it to metrics.names."
        expect(self.monitor in measured, expected, self.monitor, remedy)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock, and remove files that a killed process left unfinished."""
        self._first, self._saved_at = as_training(pl_module).step, time.monotonic()
        if trainer.is_global_zero:
            for unfinished in self.directory.glob(".*.tmp"):
                unfinished.unlink()

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any, **__: Any
    ) -> None:
        """Save the step before this one, if it is due."""
        module = as_training(pl_module)
        if module.step > self._first and self._due(trainer, module):
            self.save(trainer, module)

    def _due(self, trainer: lightning.Trainer, module: TrainingModule) -> bool:
        if self.every_minutes is None or module.step % self.every_steps == 0:
            return module.step % self.every_steps == 0
        late = time.monotonic() - self._saved_at > 60 * self.every_minutes
        return trainer.strategy.reduce_boolean_decision(late, all=False)  # clocks differ, and all ranks save together

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Save whenever the monitored metric is the best so far."""
        module = as_training(pl_module)
        if trainer.state.fn != "fit":
            return  # the baseline validation: nothing has been trained yet
        if self._improved(module):
            self.save(trainer, module)
            if trainer.is_global_zero:
                _name(self._path(module.step), self.directory / "best.ckpt")

    def on_train_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Save where the run ends."""
        self.save(trainer, pl_module)

    def on_save_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Drop the elapsed time: `trainer.max_time` limits a job, and a resumed run is another job."""
        checkpoint["callbacks"].pop("Timer", None)

    def _improved(self, module: TrainingModule) -> bool:
        value = module.validations[-1][self.monitor]
        metric = self.monitor.rpartition("/")[2]
        sign = 1 if module.metrics[metric].direction == "lower" else -1
        if not math.isfinite(value) or (self.best is not None and sign * value >= sign * self.best):
            return False
        self.best = value
        return True

    def _path(self, step: int) -> Path:
        return self.directory / f"step_{step:07d}.ckpt"

    def save(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the state after this step, unless it is already written, and delete old files."""
        module = as_training(pl_module)
        if module.step == self.saved_step:
            return
        trainer.save_checkpoint(self._path(module.step))
        self.saved_step, self._saved_at = module.step, time.monotonic()
        if trainer.is_global_zero:
            _name(self._path(module.step), self.directory / "last.ckpt")
            by_age = sorted(self.directory.glob("step_*.ckpt"), key=lambda path: path.stat().st_mtime_ns)
            for old in by_age[: -self.keep_last]:
                old.unlink()


def _name(file: Path, name: Path) -> None:
    """Give a file a second name atomically: a hard link, or a copy on file systems without links."""
    temporary = name.with_name(f".{name.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(file, temporary)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        shutil.copyfile(file, temporary)
    temporary.replace(name)
