"""Pictures of the same validation images at every validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from dgsr.checks import expect
from dgsr.images import write_image
from dgsr.pictures import grid
from dgsr.training.module import module_of
from dgsr.training.validation import measured_on


class ImagePanels(lightning.Callback):
    """Write a grid (lq, bicubic, sr, hq) per validation and set, and hand it to TensorBoard where it is on.

    Args:
        directory: Where `step_*.png` are written, those of a named set in a folder of its name.
        num_images: Rows of the grid: the first images of the set in the main process.
    """

    def __init__(self, directory: str, num_images: int = 4) -> None:
        expect(num_images > 0, "callbacks.panels.num_images above 0", num_images, "Or callbacks.panels=null.")
        self.directory, self.num_images = Path(directory), num_images
        self._columns: dict[str, dict[str, list[Tensor]]] = {}

    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        *_: Any,
        **__: Any,
    ) -> None:
        """Keep the first images."""
        for title, images in outputs.items():
            for of, image in zip(batch["set"], images, strict=True):
                column = self._columns.setdefault(of, {}).setdefault(title, [])
                if len(column) < self.num_images:
                    column.append(image.float().cpu())

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the grids."""
        sets, self._columns = self._columns, {}
        if not trainer.is_global_zero:
            return
        step = module_of(pl_module).step
        for of, columns in sets.items():
            picture = grid(columns)
            write_image(self.directory / of / f"step_{step:07d}.png", picture)
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    logger.experiment.add_image(f"val/{measured_on(of, 'panel')}", picture, step)
