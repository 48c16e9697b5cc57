"""Stop on Ctrl-C, SIGTERM or a cluster's SIGUSR1: finish the step, save, and say how to resume."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import lightning

from dgsr.training.callbacks.checkpoints import Checkpoints

_logger = logging.getLogger(__name__)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class Interruption(lightning.Callback):
    """End the run between two steps, with a checkpoint, on the first signal; a second one ends it at once.

    SIGUSR1 inside a SLURM job (`#SBATCH --signal=USR1@120`) also requeues the job.

    Args:
        directory: The run's directory, for the command that resumes it.
    """

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)
        self.requested: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Install the signal handlers, in the main thread only."""
        self.requested = None
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._request) for number in _SIGNALS}

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = number
        self._restore_handlers()
        _logger.warning("Stopping after this step. Send the signal again to stop at once.")

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any, **__: Any
    ) -> None:
        """Stop before this step if a signal came: the step before it is validated and logged."""
        # The signal reaches the ranks at different moments, but saving takes all of them at the same step.
        if not trainer.strategy.reduce_boolean_decision(self.requested is not None, all=False):
            return
        for callback in trainer.callbacks:  # type: ignore[attr-defined] (Lightning sets it at run time)
            if isinstance(callback, Checkpoints):
                callback.save(trainer, pl_module)
        requeue = trainer.strategy.reduce_boolean_decision(self.requested == signal.SIGUSR1, all=False)
        if trainer.is_global_zero:
            _logger.warning("Saved. Resume with: dgsr train resume='%s'", self.directory)
            if requeue and "SLURM_JOB_ID" in os.environ:
                _logger.warning("Requeueing the job. It resumes when it starts again.")
                subprocess.run(["scontrol", "requeue", os.environ["SLURM_JOB_ID"]], check=False)
        raise KeyboardInterrupt

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Restore the previous signal handlers."""
        self._restore_handlers()

    def _restore_handlers(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
