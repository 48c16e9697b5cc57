"""The same weights at other guidance scales: what guidance gives, without training anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning

from dgsr.ops.precision import in_full
from dgsr.training.tasks.restoration import restoration_of


class Guidances(lightning.Callback):
    """Let the last validation also measure other guidance scales, as metrics named `guidance=<scale>/<metric>`.

    Args:
        scales: Beside the one of the inference settings.
    """

    def __init__(self, scales: Sequence[float]) -> None:
        self.scales = list(scales)

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Upscale and measure these images again."""
        module = restoration_of(pl_module)
        if module.step < module.max_steps:
            return
        usual = module.upscaler.guidance
        with in_full(module.device), module.averaged():
            for scale in self.scales:
                module.upscaler.guidance = scale
                sr = module.upscaler(batch["lq"], module.scores_of(batch))
                for name, metric in module.metrics.items():
                    module.record_images(batch, f"guidance={scale:g}/{name}", metric(sr, batch["hq"]))
        module.upscaler.guidance = usual
