"""Measure other guidance scales on the same weights, without further training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning

from dgsr.ops.precision import in_full
from dgsr.training.tasks.restoration import as_restoration


class Guidances(lightning.Callback):
    """Let the last validation also measure other guidance scales, as metrics named `guidance=<scale>/<metric>`.

    Args:
        scales: Guidance scales to measure in addition to that of the inference settings.
    """

    def __init__(self, scales: Sequence[float]) -> None:
        self.scales = list(scales)

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Upscale and measure these images again."""
        module = as_restoration(pl_module)
        if module.step < module.max_steps:
            return
        scores = module.scores_of(batch)
        with in_full(module.device):
            for scale in self.scales:
                sr = module.upscaler.at(guidance=scale)(batch["lq"], scores)
                for name, metric in module.metrics.items():
                    module.record_images(batch, f"guidance={scale:g}/{name}", metric(sr, batch["hq"]))
