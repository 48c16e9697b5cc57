"""A callback that lets a test see what every rank was started with."""

from __future__ import annotations

import json
from pathlib import Path

import lightning


class RankRecord(lightning.Callback):
    """Write the learning rate, the seed of the data and the number of ranks, one file a rank."""

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        rate = trainer.optimizers[0].param_groups[0]["initial_lr"]
        seen = [rate, trainer.datamodule.stream.seed, trainer.world_size]  # type: ignore[attr-defined]
        (self.directory / f"rank_{trainer.global_rank}.json").write_text(json.dumps(seen))
