"""Ctrl-C, SIGTERM and a cluster's SIGUSR1: finish the step, save, and say how to go on."""

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
    """Let a signal end the run between two steps, with a checkpoint; a second one ends it at once.

    SIGUSR1 inside a SLURM job, as `#SBATCH --signal=USR1@120` asks for, also puts the job back into the queue.

    Args:
        directory: The run's directory, named in the closing sentence.
    """

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)
        self.requested: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Take the signals, where the process allows it."""
        self.requested = None
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._request) for number in _SIGNALS}

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = number
        self._give_back()
        _logger.warning("Stopping after this step; once more stops at once.")

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any, **__: Any
    ) -> None:
        """Leave before this step, if asked to: the one before it is validated and logged."""
        # The signal reaches the ranks at different moments, but saving takes all of them at the same step.
        if not trainer.strategy.reduce_boolean_decision(self.requested is not None, all=False):
            return
        for callback in trainer.callbacks:  # type: ignore[attr-defined] (Lightning sets it at run time)
            if isinstance(callback, Checkpoints):
                callback.save(trainer, pl_module)
        requeue = trainer.strategy.reduce_boolean_decision(self.requested == signal.SIGUSR1, all=False)
        if trainer.is_global_zero:
            _logger.warning("Saved. Go on with: dgsr train resume='%s'", self.directory)
            if requeue and "SLURM_JOB_ID" in os.environ:
                _logger.warning("Putting the job back into the queue; started again, it goes on by itself.")
                subprocess.run(["scontrol", "requeue", os.environ["SLURM_JOB_ID"]], check=False)
        raise KeyboardInterrupt

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Give the signals back."""
        self._give_back()

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
