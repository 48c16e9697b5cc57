"""Record the settings of every rank in files, for tests of distributed runs."""

from __future__ import annotations

import json
from pathlib import Path

import lightning


class RankRecord(lightning.Callback):
    """Write the learning rate, the data seed and the number of ranks to one file per rank."""

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        rate = trainer.optimizers[0].param_groups[0]["initial_lr"]
        record = [rate, trainer.datamodule.stream.seed, trainer.world_size]  # type: ignore[attr-defined]
        (self.directory / f"rank_{trainer.global_rank}.json").write_text(json.dumps(record))
