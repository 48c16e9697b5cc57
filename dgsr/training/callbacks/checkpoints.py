"""Save a run by its own steps: numbered files, and names for the last and the best of them."""

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

    A step is saved before the next one begins, when its validation is done and its logs are written, so that a resumed
    run repeats nothing and skips nothing.

    Args:
        directory: Where the files lie.
        every_steps: Steps between two saves.
        every_minutes: Minutes after which a save comes in any case; None goes by steps alone.
        keep_last: How many numbered files remain; `last.ckpt` and `best.ckpt` are further names of files.
        monitor: The validation metric whose best value names the best file; `<set>/<metric>` of a named set.
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
        """Return what a resumed run needs to know of the best so far."""
        return {"monitor": self.monitor, "best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it back, unless another metric is monitored now."""
        if state_dict["monitor"] == self.monitor:
            self.best = state_dict["best"]

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Refuse a metric that is not measured, before anything is trained.

        Raises:
            UserError: The monitored metric is not among the module's on any validation set.
        """
        sets = trainer.datamodule.val_pairs.sets  # type: ignore[attr-defined] (Lightning sets it at run time)
        measured = [qualified(of, metric) for of in sets for metric in as_training(pl_module).metrics]
        what, remedy = f"callbacks.checkpoints.monitor among {', '.join(measured)}", "Or add it to metrics.names."
        expect(self.monitor in measured, what, self.monitor, remedy)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock, and clear away what a process left that was killed while it wrote."""
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
            return  # the measurement before the first step, of which there is nothing to save
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
        """Forget the time that is spent: `trainer.max_time` is what a job may take, and a resumed run is another."""
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
        """Write the state after this step, unless it is written already, and let old files go."""
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
    """Give a file a second name at once: removing either name leaves the other whole.

    Without a copy, except where file systems know no second names.
    """
    temporary = name.with_name(f".{name.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(file, temporary)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        shutil.copyfile(file, temporary)
    temporary.replace(name)
