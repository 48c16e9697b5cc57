"""Write the results of each validation, image by image, so that runs can be compared."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import lightning

from dgsr.images import write_image
from dgsr.training.loop.module import as_training
from dgsr.training.loop.validation import ValidationRecords, means


class ValidationFiles(lightning.Callback):
    """Write a table of all images per validation, and the latest pictures of the first images.

    Args:
        directory: Folder of `step_*.csv` and `pictures/<image>/{lq,sr,hq}.png`.
        num_pictures: How many of the images that the main process measures get pictures.
    """

    def __init__(self, directory: str, num_pictures: int = 4) -> None:
        self.directory, self.num_pictures = Path(directory), num_pictures
        self._left = num_pictures

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Start counting again."""
        self._left = self.num_pictures if trainer.is_global_zero else 0

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        """Write the first pictures."""
        for place, name in enumerate(batch["name"][: self._left]):
            for kind in {"lq", "sr", "hq"} & outputs.keys():
                write_image(self.directory / "pictures" / name / f"{kind}.png", outputs[kind][place].float().cpu())
            self._left -= 1

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the table."""
        module = as_training(pl_module)
        if trainer.is_global_zero and module.images:
            write_records(module.images, self.directory / f"step_{module.step:07d}.csv")


def write_records(records: ValidationRecords, path: Path) -> None:
    """Write one row per image and one column per metric; cells of other sets' metrics are empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, ["image", *means(records)])
        writer.writeheader()
        writer.writerows({"image": image} | values for image, values in records.items())
