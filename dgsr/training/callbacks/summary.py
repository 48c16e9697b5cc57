"""Write the result of a finished run as data: its last metrics, its time and its memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import lightning
import torch

from dgsr.training.loop.module import TrainingModule, as_training
from dgsr.training.loop.validation import qualified, sets_of


class Summary(lightning.Callback):
    """Write `summary.json` when a run has reached its last step; an unfinished run has none.

    Args:
        directory: The run's directory.
        monitor: The metric by which runs are compared, as in the checkpoints.
    """

    def __init__(self, directory: str, monitor: str = "lpips") -> None:
        self.path, self.monitor = Path(directory) / "summary.json", monitor
        self._started, self._first_step = 0.0, 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start the clock."""
        self._started, self._first_step = time.monotonic(), as_training(pl_module).step
        if trainer.is_global_zero:
            self.path.unlink(missing_ok=True)

    def on_fit_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write it, in the main process."""
        module = as_training(pl_module)
        steps = module.step - self._first_step if self._started else 0  # 0: interrupted after its last step
        out_of_time = module.step < module.max_steps
        if not trainer.is_global_zero or out_of_time or (steps == 0 and self.path.exists()):
            return
        device = trainer.strategy.root_device  # the module's own is the CPU again by now
        summary = {
            "step": module.step,
            "monitor": self.monitor,
            "metrics": _metrics(module),
            "seconds_per_step": (time.monotonic() - self._started) / steps if steps else None,  # with validations
            "peak_memory_bytes": peak_memory_bytes(device),
            "devices": f"{trainer.world_size} x {device.type}",
        }
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(summary, indent=2) + "\n")
        temporary.replace(self.path)


def _metrics(module: TrainingModule) -> dict[str, dict[str, Any]]:
    last = module.validations[-1] if module.validations else {}
    return {
        key: {"value": last[key], "variant": metric.variant, "direction": metric.direction}
        for set_name in sets_of(last)
        for name, metric in module.metrics.items()
        if (key := qualified(set_name, name)) in last
    }


def peak_memory_bytes(device: torch.device) -> int:
    """Return the peak memory of tensors on a GPU, or of this whole process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
